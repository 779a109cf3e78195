# Health care, room: what your clinic system says of it, as the directory publishes it.
#
# The input is what the connector read: {service, organization, locations}, with a HealthcareService of FHIR R4 that
# says its capacity in the extension of the implementation guide for social care. Each output is the room in one
# service (Capacity in proto/waymark/v1/directory.proto); which one, $args says: service-<id of the
# HealthcareService>. No output: a service that the network does not know, or that says nothing of room.
#
# Try it:  waymark map test medical-capacity.jq --sample medical-capacity.sample.json --direction capacity --arg service-general-practice=EBESExQVFhcYGRobHB0eHw==

.service
| ($args["service-\(.id)"] // empty) as $id
| [.extension[]? | select(.url | endswith("/SDOHCC-ExtensionHealthcareServiceCapacityStatus"))
   | .extension[] | select(.url == "capacityStatus") | .valueCodeableConcept.coding[].code] | first // empty
| {
  service_id: $id,
  status: ({
    "capacity": "CAPACITY_STATUS_HAS_CAPACITY",
    "no-capacity": "CAPACITY_STATUS_NO_CAPACITY",
    "no-capacity-has-waitlist": "CAPACITY_STATUS_WAITLIST",
    "additional-assessment-required": "CAPACITY_STATUS_ASSESSMENT_REQUIRED"
  }[.] // "CAPACITY_STATUS_UNKNOWN")
}
