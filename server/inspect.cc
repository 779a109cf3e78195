#include "server/inspect.h"

#include <iomanip>
#include <map>

#include "absl/time/time.h"
#include "waymark/v1/directory.pb.h"

namespace waymark::hub {
namespace {

constexpr size_t kShortId = 8;

std::map<UnitId, std::string> HandlesIn(const std::vector<StatementRow>& statements) {
  std::map<UnitId, std::string> handles;
  for (const StatementRow& row : statements) {
    v1::SignedStatement signed_statement;
    v1::Statement statement;
    if (!signed_statement.ParseFromString(row.statement) ||
        !statement.ParseFromString(signed_statement.statement())) {
      continue;
    }
    for (const v1::Unit& unit : statement.member().units()) {
      if (const auto id = UnitId::FromBytes(unit.unit_id())) handles[*id] = unit.handle();
    }
  }
  return handles;
}

// "KIND_OFFER" is "OFFER" to people.
std::string Plain(const std::string& name) { return name.substr(name.find('_') + 1); }

}  // namespace

void Inspect(const RoutingLog& log, std::ostream& out) {
  const std::map<UnitId, std::string> handles = HandlesIn(log.statements);
  const auto handle_of = [&](const UnitId& unit) {
    const auto it = handles.find(unit);
    return it == handles.end() ? unit.hex().substr(0, kShortId) : it->second;
  };
  out << std::left << std::setw(18) << "MINUTE" << std::setw(12) << "FROM" << std::setw(12) << "TO"
      << std::setw(16) << "KIND" << std::setw(10) << "STAGE" << std::setw(5) << "U"
      << "REFERRAL\n";
  for (const RoutingRecord& line : log.lines) {
    out << std::setw(18) << absl::FormatTime("%Y-%m-%d %H:%M", line.minute, absl::LocalTimeZone())
        << std::setw(12) << handle_of(line.sender) << std::setw(12) << handle_of(line.recipient)
        << std::setw(16) << Plain(v1::Kind_Name(line.kind)) << std::setw(10)
        << Plain(v1::Stage_Name(line.stage)) << std::setw(5)
        << Plain(v1::Urgency_Name(line.urgency)) << line.referral.hex().substr(0, kShortId) << "\n";
  }
  out << log.lines.size() << " messages in 7 days; " << log.waiting << " undelivered ("
      << log.waiting_bytes << " sealed bytes).\n";
}

}  // namespace waymark::hub
