# Legal advice, room: what your case system says of it, as the directory publishes it.
#
# The input is what the connector read, here one of the list at GET /openings. Each output is the room in
# one service (Capacity in proto/waymark/v1/directory.proto); which one, $args says: service-<code>. No output:
# a service that the network does not know.
#
# Try it:  waymark map test legal-capacity.jq --sample legal-capacity.sample.json --direction capacity --arg service-702=EBESExQVFhcYGRobHB0eHw==

. as $room
| $args["service-\(.service)"] // empty
| {service_id: .} + (if $room.free > 0 then {status: "CAPACITY_STATUS_HAS_CAPACITY", available: $room.free}
  elif $room.assessment then {status: "CAPACITY_STATUS_ASSESSMENT_REQUIRED"}
  else {status: "CAPACITY_STATUS_NO_CAPACITY", available: 0} end)
