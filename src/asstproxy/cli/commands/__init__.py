"""The commands of `asst`, one file each: signature and help. What a command needs is imported in its body.

`--help` and shell completion load these files and nothing behind them.
"""
