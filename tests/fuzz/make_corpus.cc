// Writes the first inputs of the fuzz targets: `make_corpus tests/fuzz/corpus`. What fuzzing finds
// is added beside them under other names.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "base/crypto/signature.h"
#include "base/directory/invitation.h"
#include "base/directory/network.h"
#include "base/envelope/payload.h"
#include "client/mapping/sandbox/protocol.h"
#include "tests/base/schema/fill.h"
#include "tests/fuzz/statement_world.h"
#include "tests/server/routing/test_network.h"
#include "tests/support/statement_bodies.h"
#include "waymark/v1/token.pb.h"

namespace waymark {
namespace {

class Corpus {
 public:
  Corpus(const std::filesystem::path& root, const std::string& target) : folder_(root / target) {
    std::filesystem::create_directories(folder_);
  }
  void Add(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }

 private:
  const std::filesystem::path folder_;
};

std::string Length(size_t size, int bytes) {
  std::string length;
  for (int i = bytes - 1; i >= 0; --i) length += static_cast<char>(size >> (8 * i));
  return length;
}

v1::Header InquiryHeader() {
  hub::TestNetwork network;
  const v1::TokenRegistration token = network.Token("c-c", "qso.night", "lin.family");
  return network.Header(v1::KIND_INQUIRY, "qso.night", "lin.family", "9ab1", &token);
}

void WriteHeaders(const std::filesystem::path& root) {
  const Corpus corpus(root, "header");
  const v1::Header header = InquiryHeader();
  corpus.Add("inquiry", header.SerializeAsString());
  corpus.Add("empty", "");
  corpus.Add("unknown-field", header.SerializeAsString() + "\xf8\x06\x01");
  corpus.Add("too-large", std::string(1025, '\x0a'));
  v1::Header changed = header;
  changed.clear_token_hash();
  corpus.Add("end-without-token", changed.SerializeAsString());
  changed = header;
  changed.set_recipient_unit(header.sender_unit());
  corpus.Add("to-itself", changed.SerializeAsString());
  changed = header;
  changed.set_kind(static_cast<v1::Kind>(99));
  corpus.Add("unknown-kind", changed.SerializeAsString());
  changed = header;
  changed.set_expires_at(changed.sent_minute());
  corpus.Add("ends-at-once", changed.SerializeAsString());
  changed = header;
  changed.set_message_id(std::string(16, '\0'));
  corpus.Add("zero-id", changed.SerializeAsString());
}

v1::ConsentToken WholeToken() {
  v1::ConsentToken token;
  Fill(token);
  token.set_stage_ceiling(v1::STAGE_STARTED);
  token.mutable_valid_from()->set_seconds(token.valid_until().seconds() - int64_t{48} * 3600);
  return token;
}

void WriteTokens(const std::filesystem::path& root) {
  const Corpus corpus(root, "token");
  const v1::ConsentToken token = WholeToken();
  corpus.Add("whole", token.SerializeAsString());
  corpus.Add("empty", "");
  v1::ConsentToken changed = token;
  changed.clear_scope_fields();
  corpus.Add("no-field", changed.SerializeAsString());
  changed = token;
  changed.mutable_valid_until()->set_seconds(token.valid_from().seconds());
  corpus.Add("no-time", changed.SerializeAsString());
  changed = token;
  changed.mutable_valid_until()->set_nanos(1);
  corpus.Add("not-a-whole-hour", changed.SerializeAsString());
  changed = token;
  changed.set_stage_ceiling(v1::STAGE_NONE);
  corpus.Add("below-inquiry", changed.SerializeAsString());
}

v1::Sections WholeSections() {
  v1::Sections sections;
  const auto* reflection = v1::Sections::GetReflection();
  const auto* type = v1::Sections::GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    Fill(type->field(i)->is_repeated() ? *reflection->AddMessage(&sections, type->field(i))
                                       : *reflection->MutableMessage(&sections, type->field(i)));
  }
  return sections;
}

void WriteSections(const std::filesystem::path& root) {
  const Corpus corpus(root, "section");
  corpus.Add("whole", "\x01" + WholeSections().SerializeAsString());
  corpus.Add("empty", "");
  v1::Sections sections;
  sections.mutable_need()->set_service_code(206);
  sections.mutable_lang()->set_preferred_language("qaa");
  corpus.Add("inquiry", "\x02" + sections.SerializeAsString());
  sections.mutable_lang()->set_preferred_language("\xff\xfe");
  corpus.Add("not-utf8", "\x02" + sections.SerializePartialAsString());
  sections.Clear();
  sections.mutable_iden()->add_not_said(1);
  corpus.Add("not-said", "\x03" + sections.SerializeAsString());
  sections.mutable_iden()->set_name_to_use("A\"\\\n");
  corpus.Add("said-and-not-said", "\x03" + sections.SerializeAsString());
}

void WritePayloads(const std::filesystem::path& root) {
  const Corpus corpus(root, "payload");
  v1::Payload payload;
  v1::ConsentToken token = WholeToken();
  token.set_network_id(std::string(16, 'n'));
  token.set_presenter_unit(std::string(16, 's'));
  token.set_recipient_unit(std::string(16, 'r'));
  token.set_referral_id(std::string(16, 'f'));
  payload.set_token(token.SerializeAsString());
  payload.mutable_sections()->mutable_need()->set_service_code(206);
  corpus.Add("with-token", '\0' + payload.SerializeAsString());
  token.set_recipient_unit(std::string(16, 'x'));
  payload.set_token(token.SerializeAsString());
  corpus.Add("token-of-another", '\0' + payload.SerializeAsString());
  payload.Clear();
  payload.mutable_clarification()->set_code(v1::CLARIFICATION_CODE_CALL_UNIT);
  const std::string clarification = payload.SerializeAsString();
  corpus.Add("without-token", '\0' + clarification);
  corpus.Add("unknown-field", '\0' + clarification + "\xf8\x06\x01");
  corpus.Add("box", '\x01' + Length(clarification.size(), 4) + clarification);
  corpus.Add("box-padding", '\x01' + Length(clarification.size(), 4) + clarification + 'x');
  corpus.Add("box-beyond-end", '\x01' + Length(1997, 4));
  corpus.Add("box-huge-length", '\x01' + std::string(4, '\xff'));
}

v1::Statement ServiceStatement() {
  v1::Statement statement = fuzz::StatementOfMember(1);
  FillService(statement, std::string(16, 'v'), std::string(16, 'u'), "lin-101");
  return statement;
}

v1::Statement CapacityStatement() {
  v1::Statement statement = fuzz::StatementOfMember(1);
  FillCapacity(statement, std::string(16, 'v'));
  return statement;
}

v1::Statement KeysStatement() {
  v1::Statement statement = fuzz::StatementOfMember(1);
  FillUnitKeys(statement, std::string(16, 'u'));
  return statement;
}

void WriteStatements(const std::filesystem::path& root) {
  const Corpus corpus(root, "statement");
  const auto by = [](char signer, const v1::Statement& statement) {
    const std::string bytes = statement.SerializeAsString();
    return signer + Length(bytes.size(), 2) + bytes;
  };
  constexpr char kRegistry = 0;
  constexpr char kMember = 1;
  const std::string service = by(kMember, ServiceStatement());
  corpus.Add("service-and-capacity", service + by(kMember, CapacityStatement()));
  corpus.Add("capacity-without-service", by(kMember, CapacityStatement()));
  corpus.Add("service-by-registry", by(kRegistry, ServiceStatement()));
  corpus.Add("keys", by(kMember, KeysStatement()));
  corpus.Add("twice", service + service);
  v1::Statement profile = fuzz::StatementOfMember(1);
  profile.mutable_profile()->add_reporting_duties(static_cast<v1::ReportingDuty>(1));
  profile.mutable_profile()->set_law_enforcement_relationship(
      static_cast<v1::LawEnforcementRelationship>(1));
  profile.mutable_profile()->set_faith_participation(static_cast<v1::FaithParticipation>(1));
  corpus.Add("profile", by(kMember, profile));
  v1::Statement member = fuzz::MemberStatement(SigningKey::Generate().verifying_key().spki(), 2);
  member.mutable_member()->set_status(v1::MEMBER_STATUS_SUSPENDED);
  corpus.Add("suspended-then-service", by(kRegistry, member) + service);
  member.mutable_member()->clear_units();
  corpus.Add("member-without-unit", by(kRegistry, member));
  corpus.Add("empty-statement", by(kMember, v1::Statement()));
}

v1::Network ExampleNetwork() {
  v1::Network network;
  network.set_network_id(std::string(16, 'n'));
  network.set_name("Example network");
  network.set_ca_certificate("not looked at here");
  network.set_registry_key(SigningKey::Generate().verifying_key().spki());
  network.add_hub_addresses("hub.example:7400");
  network.add_enrolment_addresses("hub.example:7401");
  network.set_version(1);
  return network;
}

void WriteConfigs(const std::filesystem::path& root) {
  const Corpus corpus(root, "config");
  corpus.Add("scalars",
             "ckey: 30s\nsection:\n  key: 12KiB\nsections:\n  - key: true\n  - key: json\n");
  corpus.Add("address", "ckey: \"[::1]:7400\"\n");
  corpus.Add("list", "ckey: [a, b, [c]]\nother: 1\n");
  corpus.Add("repeated", "ckey: 1\nkey: 2\n");
  corpus.Add("alias", "ca: &x {b: *x}\n");
  corpus.Add("not-a-mapping", "c- 1\n");
  corpus.Add("huge-number", "ckey: 99999999999999999999999d\n");
  v1::Invitation invitation;
  *invitation.mutable_network() = ExampleNetwork();
  invitation.set_secret(std::string(16, 's'));
  invitation.set_organisation_id(std::string(16, 'o'));
  const std::string text = FormatInvitation(invitation);
  corpus.Add("invitation", "i " + text + "\n");
  corpus.Add("invitation-cut", "i" + text.substr(0, text.size() / 2));
  corpus.Add("network", "n" + FormatNetwork(ExampleNetwork()));
  corpus.Add("network-empty", "n{}");
  corpus.Add("network-wrong", "n{\"network_id\":1,\"version\":\"-1\"}");
}

v1::ConnectRequest HelloFrame() {
  v1::ConnectRequest frame;
  frame.mutable_hello()->set_protocol_version(1);
  frame.mutable_hello()->set_window_messages(64);
  frame.mutable_hello()->set_window_bytes(1 << 20);
  return frame;
}

void WriteFrames(const std::filesystem::path& root) {
  const Corpus corpus(root, "frame");
  const auto frame = [](const v1::ConnectRequest& request) {
    const std::string bytes = request.SerializeAsString();
    return Length(bytes.size(), 3) + bytes;
  };
  hub::TestNetwork network;
  const v1::TokenRegistration token = network.Token("c-c", "qso.night", "lin.family");
  v1::ConnectRequest submit;
  *submit.mutable_submit()->add_items()->mutable_registration() = token;
  *submit.mutable_submit()->add_items()->mutable_message() =
      hub::TestNetwork::Message(InquiryHeader());
  const std::string hello = frame(HelloFrame());
  corpus.Add("register-and-inquire", hello + frame(submit) + frame(submit));
  corpus.Add("without-hello", frame(submit));
  corpus.Add("two-hellos", hello + hello);
  corpus.Add("not-a-frame", hello + Length(3, 3) + "\xff\xff\xff");
  corpus.Add("empty-frame", hello + Length(0, 3));

  v1::ConnectRequest stolen;
  *stolen.mutable_submit()->add_items()->mutable_message() = hub::TestNetwork::Message(
      network.Header(v1::KIND_CAPACITY_QUERY, "lin.family", "qso.night", "9ab1", nullptr));
  corpus.Add("unit-of-another", hello + frame(stolen));

  v1::ConnectRequest with_ack = submit;
  with_ack.mutable_submit()->set_ack_through(1);
  corpus.Add("submit-with-ack", hello + frame(with_ack));

  v1::ConnectRequest rest;
  rest.mutable_heartbeat()->set_nonce(7);
  std::string end = frame(rest);
  rest.mutable_ack()->set_through(1);
  end += frame(rest);
  rest.mutable_goodbye();
  corpus.Add("heartbeat-ack-goodbye", hello + end + frame(rest) + frame(submit));

  v1::ConnectRequest many;
  for (int i = 0; i < 65; ++i) *many.mutable_submit()->add_items()->mutable_registration() = token;
  corpus.Add("too-many-items", hello + frame(many));
  v1::ConnectRequest unnamed;
  unnamed.mutable_submit()->add_items();
  corpus.Add("item-without-id", hello + frame(unnamed));
  v1::ConnectRequest wide = HelloFrame();
  wide.mutable_hello()->set_window_messages(4097);
  corpus.Add("window-too-wide", frame(wide));
}

void WriteJqFrames(const std::filesystem::path& root) {
  const Corpus corpus(root, "jq_frame");
  const auto request = [](const jq::Request& said) {
    return '\0' + jq::Encode(said).substr(jq::kLengthSize);
  };
  const auto response = [](const jq::Response& said) {
    return '\x01' + jq::Encode(said).substr(jq::kLengthSize);
  };
  const std::string whole = request({.program = "{name: .a, by: $args.by}",
                                     .input = "{\"a\": [1, true, null, \"\\u00e9\"]}",
                                     .arguments = {{"by", "unit"}, {"now", "2027-03-09"}},
                                     .max_output = 4096});
  corpus.Add("request", whole);
  corpus.Add("request-cut", whole.substr(0, whole.size() - 3));
  corpus.Add("request-empty", request({}));
  corpus.Add("outputs", response({.outputs = {"{\"a\":-1.5e+10}", "[[[]]]", "\"\xff\"", ""}}));
  corpus.Add("outputs-none", response({}));
  corpus.Add("outputs-deep", response({.outputs = {std::string(65, '[') + std::string(65, ']')}}));
  corpus.Add("invalid", response({.outcome = jq::Outcome::kInvalid, .line = 3, .message = "what"}));
  corpus.Add("out-of-memory", response({.outcome = jq::Outcome::kOutOfMemory}));
  std::string many = response({});
  many.replace(many.size() - 4, 4, std::string(4, '\xff'));
  corpus.Add("outputs-beyond-end", many);
  corpus.Add("outcome-unknown", "\x01" + std::string(13, '\x09'));
}

}  // namespace
}  // namespace waymark

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: make_corpus FOLDER\n";
    return 2;
  }
  const std::filesystem::path root = argv[1];
  waymark::WriteFrames(root);
  waymark::WriteHeaders(root);
  waymark::WriteTokens(root);
  waymark::WriteSections(root);
  waymark::WritePayloads(root);
  waymark::WriteStatements(root);
  waymark::WriteConfigs(root);
  waymark::WriteJqFrames(root);
}
