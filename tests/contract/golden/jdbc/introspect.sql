{pipekit describe ["select id, name from orders"]}
