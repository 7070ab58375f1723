"""``golive tune``: how many requests may be in flight, measured, and the cap that everything else then keeps to."""
