# Language support, room: what your interpreter roster says of it, as the directory publishes it.
#
# The input is what the connector read, here a whole roster: {"rows": [...]}, one row for each interpreter,
# language and span of time. Each output is the room in one service (Capacity in
# proto/waymark/v1/directory.proto): how many hours are free in the span that is on now, or in the next one. Which
# language counts for which service, $args says: service-<language>, and service for all others.
#
# Try it:  waymark map test language-capacity.jq --sample language-capacity.sample.json --direction capacity --arg service=EBESExQVFhcYGRobHB0eHw== --arg now=2027-03-09T19:41:00Z

# A roster has whole minutes without a zone; here they are UTC.
def minute: . + ":00Z" | fromdate / 60 | floor;

# The hours of a row within a span.
def hours($from; $to): ([.until, $to] | min) - ([.from, $from] | max) | if . < 60 then 0 else . / 60 | floor end;

($args.now | fromdate / 60 | floor) as $now
| [.rows[] | {
    interpreter,
    service: ($args["service-" + .language] // $args.service),
    from: ([(.from | minute), $now] | max),
    until: (.until | minute),
    free: (.state == "free")
  }] as $rows
| $args | to_entries[] | select(.key | test("^service(-|$)")) | .value as $service
# Who speaks two languages of one service is there once.
| [$rows[] | select(.service == $service)] | unique_by([.interpreter, .from, .until]) as $all
| [$all[] | select(.free and hours($now; .until) > 0)] as $free
| {service_id: $service} +
if $free == [] then
  {status: "CAPACITY_STATUS_NO_CAPACITY"}
else
  ([$free[].from] | min) as $from
  | ([$free[] | select(.from == $from) | .until] | max) as $until
  | {
      status: "CAPACITY_STATUS_HAS_CAPACITY",
      available: ([$free[] | hours($from; $until)] | add),
      maximum: ([$all[] | hours($from; $until)] | add),
      window: {from_minute: $from, to_minute: $until},
      valid_until_minute: $until
    }
end
