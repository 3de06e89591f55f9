select max(changed_at) from public.sales
