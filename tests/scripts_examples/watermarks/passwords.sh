PG_PASS=quince7
ERP_PASS="medlar8"
