-- From now on a name without quotes is folded as its database folds names. Until now PostgreSQL's and those of databases
-- that are not known were taken as they were typed: those that would mean another table now get their quotes.

UPDATE module SET dest_table = '"' || replace(trim(dest_table), '.', '"."') || '"'
WHERE instr(dest_table, '"') = 0 AND dest_id IN (
    SELECT id FROM connection
    WHERE substr(driver, 1, instr(driver || '_', '_') - 1)
        NOT IN ('derby', 'h2', 'hsqldb', 'mysql', 'mariadb', 'oracle', 'db2', 'sqlserver', 'sqlite', 'db2i')
) AND (
    dest_table GLOB '*[A-Z]*' OR dest_id IN (
        SELECT id FROM connection WHERE substr(driver, 1, instr(driver || '_', '_') - 1) <> 'postgresql'
    )
);
