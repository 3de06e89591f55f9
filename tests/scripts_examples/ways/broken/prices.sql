select * from prices
