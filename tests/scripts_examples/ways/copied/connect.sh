FROM_SHOP="-scu jdbc:sqlite:/srv/etl/shop.db"
INTO_DW="-dcu jdbc:sqlite:/srv/etl/dw.db"
