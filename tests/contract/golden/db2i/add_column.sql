ALTER TABLE "ORDERS" ADD COLUMN "odd ""name""" DBCLOB(512M) CCSID 1200;
LABEL ON COLUMN "ORDERS"."odd ""name""" TEXT IS 'what it''s called';
