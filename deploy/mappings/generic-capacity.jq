# Any service, room: what your own system says of it, as the directory publishes it.
#
# The input is what the connector read, here one row for each service. Each output is the room in one service
# (Capacity in proto/waymark/v1/directory.proto). No output: nothing to say.
#
# Try it:  waymark map test generic-capacity.jq --sample generic-capacity.sample.json --direction capacity

{
  # As `waymark directory --json` shows it.
  service_id: .service,
  status: (if .free > 0 then "CAPACITY_STATUS_HAS_CAPACITY" else "CAPACITY_STATUS_NO_CAPACITY" end),
  available: .free,
  maximum: .places
}
