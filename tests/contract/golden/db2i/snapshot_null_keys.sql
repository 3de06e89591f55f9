(keeps no versions)
