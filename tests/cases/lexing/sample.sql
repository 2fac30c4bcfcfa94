SELECT a.*, count(*) FROM t AS a WHERE b LIKE '%''x' -- c
GROUP BY 1; /* d */
