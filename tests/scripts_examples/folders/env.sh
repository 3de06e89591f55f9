# Where everything is.
export SHOP_URL="jdbc:sqlite:/srv/shop/shop.db"
export DW_URL=jdbc:postgresql://127.0.0.1:5432/dw
export DW_USER=postgres
export DW_PASSWORD='let me in'
JRUNNER=/opt/jrunner/bin/jrunner
