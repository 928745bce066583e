venue_ns = received_ns AND {{time_ms}} % 86400000 >= 86340000
