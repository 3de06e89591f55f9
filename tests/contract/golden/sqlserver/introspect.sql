SELECT name, COALESCE(system_type_name, user_type_name), error_number, error_message
FROM sys.dm_exec_describe_first_result_set(N'select id, name from orders', NULL, 0)
ORDER BY column_ordinal
