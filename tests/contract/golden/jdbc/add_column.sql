ALTER TABLE "orders" ADD COLUMN "odd ""name""" CLOB;
