-- every order that was not cancelled
SELECT o.order_id,
       o.customer AS cust,
       o.total,
       o.ordered_on
  FROM orders o
 WHERE o.state <> 'cancelled';
