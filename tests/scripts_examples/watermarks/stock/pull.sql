select id, article, change from stock where id > @LAST@
