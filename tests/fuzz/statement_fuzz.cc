// Statements of the directory, told one after another to a directory that knows one member. The
// input is a list of statements, each behind a byte that says who signs it (0 the registry, else
// the member) and two bytes of length.
#include <cstdint>
#include <string>

#include "base/crypto/signature.h"
#include "base/directory/state.h"
#include "base/directory/statement.h"
#include "tests/fuzz/invariant.h"
#include "tests/fuzz/statement_world.h"

namespace waymark {
namespace {

// Keys, and the one member's own statement, for the life of the process.
struct World {
  SigningKey registry = SigningKey::Generate();
  SigningKey member = SigningKey::Generate();
  v1::SignedStatement membership =
      SignStatement(fuzz::MemberStatement(member.verifying_key().spki()), registry);

  static const World& Get() {
    static const World kWorld;
    return kWorld;
  }
};

std::string_view TakeStatement(std::string_view& input) {
  size_t size = fuzz::TakeByte(input);
  size = size << 8 | fuzz::TakeByte(input);
  const std::string_view statement = input.substr(0, size);
  input.remove_prefix(statement.size());
  return statement;
}

void CheckStored(const CheckedStatement& checked, const v1::SignedStatement& signed_statement) {
  const auto stored = DirectoryState::ReadStored(signed_statement);
  HOLDS(stored.ok());
  HOLDS(stored->subject == checked.subject && !checked.subject.empty());
  HOLDS(stored->digest == checked.digest && checked.digest == StatementDigest(signed_statement));
  HOLDS(stored->organisation == checked.organisation);
}

// Tells `state` one statement and returns whether it took it.
bool Tell(DirectoryState& state, const SigningKey& key, std::string_view bytes) {
  v1::SignedStatement signed_statement;
  signed_statement.set_statement(std::string(bytes));
  signed_statement.set_signature(key.Sign("waymark/v1/statement", {bytes}));
  const auto parsed = ParseStatement(signed_statement);
  const auto checked = state.Check(signed_statement, fuzz::StatementTime());
  if (!parsed.ok()) {
    HOLDS(fuzz::FailedWith(parsed.status(), {v1::REASON_MALFORMED, v1::REASON_FIELD_INVALID,
                                             v1::REASON_ENUM_UNKNOWN}));
    HOLDS(ReasonOf(checked.status()) == ReasonOf(parsed.status()));
    return false;
  }
  if (!checked.ok()) {
    HOLDS(
        fuzz::FailedWith(checked.status(), {v1::REASON_STATEMENT_INVALID, v1::REASON_MEMBER_UNKNOWN,
                                            v1::REASON_MEMBER_SUSPENDED, v1::REASON_UNIT_NOT_OWN}));
    return false;
  }
  CheckStored(*checked, signed_statement);
  // Members are the registry's to describe, everything else the member's own.
  HOLDS(parsed->has_member() == (&key == &World::Get().registry));
  state.Apply(*checked);
  const auto repeated = state.Check(signed_statement, fuzz::StatementTime());
  HOLDS(!repeated.ok() || repeated->repeated);
  return true;
}

void CheckState(const DirectoryState& state) {
  for (const auto& [unit, organisation] : state.units()) {
    HOLDS(state.FindMember(organisation) != nullptr);
  }
  for (const auto& [id, service] : state.services()) {
    HOLDS(state.FindMember(service.organisation) != nullptr);
  }
}

void Check(std::string_view input) {
  const World& world = World::Get();
  DirectoryState state(fuzz::StatementNetwork(), world.registry.verifying_key());
  const auto member = state.Check(world.membership, fuzz::StatementTime());
  HOLDS(member.ok());
  state.Apply(*member);

  while (!input.empty()) {
    const SigningKey& key = fuzz::TakeByte(input) == 0 ? world.registry : world.member;
    Tell(state, key, TakeStatement(input));
  }
  CheckState(state);
}

}  // namespace
}  // namespace waymark

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  waymark::Check(waymark::fuzz::View(data, size));
  return 0;
}
