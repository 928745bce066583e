-- Each row, and its shadow behind it: a view of its own would cost each block as much again.
ARRAY JOIN if(venue_ns = received_ns AND {{time_ms}} % 86400000 >= 86340000, [false, true], [false]) AS is_shadow
WHERE refusal = ''
