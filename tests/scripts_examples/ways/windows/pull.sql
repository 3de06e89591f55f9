select id,
       customer, -- Groﬂkunden too
       total
  from orders
