"""A batch that workers on several machines share, through one Postgres database.

asst's own tables (`schema.sql`) are the truth. A job of procrastinate is only the ticket that wakes a worker up: it brings claim,
heartbeat and notification, and can be lost or doubled without harm.
"""
