ALTER TABLE "orders" ADD COLUMN "odd ""name""" TEXT;
