"""Media servers: which there are, how telephony ports are split over them, and which one makes each call."""
