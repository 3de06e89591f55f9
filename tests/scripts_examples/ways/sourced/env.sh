SCHEMA=main
