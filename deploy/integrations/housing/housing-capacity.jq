# Housing, room: what your bed register says of it, as the directory publishes it.
#
# The input is what the connector read, here one row of the register's view `room`. Each output is the room in
# one service (Capacity in proto/waymark/v1/directory.proto). Give the numbers for a confidential place, too: they
# stay in the node, which needs them for its offers, and the directory says only whether there is room.
#
# Try it:  waymark map test housing-capacity.jq --sample housing-capacity.sample.json --direction capacity

{
  service_id,
  status: (if .free > 0 then "CAPACITY_STATUS_HAS_CAPACITY"
    elif .waiting_list then "CAPACITY_STATUS_WAITLIST"
    else "CAPACITY_STATUS_NO_CAPACITY" end),
  available: .free,
  maximum
}
