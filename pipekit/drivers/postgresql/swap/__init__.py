# Another table in the dest's place, in PostgreSQL. What is in here is entered by `entrance.py`.
