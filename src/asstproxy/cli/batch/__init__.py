"""`asst batch`: many questions from a file, their answers into another."""
