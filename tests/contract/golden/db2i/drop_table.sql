DROP TABLE "PIPEKIT"."load.orders" -- {pipekit if-there ["PIPEKIT", "load.orders"]}
