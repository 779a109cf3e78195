#include "tests/deploy/integrations/integration.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "absl/strings/escaping.h"
#include "base/ids/ids.h"
#include "base/schema/catalogue.h"
#include "base/status/status.h"
#include "client/delivery/outward.h"
#include "client/delivery/report.h"
#include "client/mapping/finding.h"
#include "client/mapping/mapper.h"
#include "client/mapping/profile_judge.h"
#include "tests/client/connectors/test_folder.h"

namespace waymark::node {
namespace {

// When the samples are about.
const absl::Time kNow = absl::FromCivil(absl::CivilMinute(2027, 3, 9, 19, 41), absl::UTCTimeZone());

template <typename T>
T Must(absl::StatusOr<T> value) {
  if (value.ok()) return *std::move(value);
  ADD_FAILURE() << value.status();
  std::abort();
}

LocalSystems OpenFrom(const std::string& name, const ConfigChanges& changes, Clock& steady) {
  const std::string path = IntegrationPath(name + "/node.yaml");
  std::string text = ReadIntegrationFile(name + "/node.yaml");
  for (const auto& [what, by] : changes) {
    const size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    text.replace(at, what.size(), by);
  }
  ConfigFile file = Must(ConfigFile::Parse(text, path));
  ConfigSection root = file.root();
  LocalSystemsSettings settings = Must(ReadLocalSystems(root, path));
  settings.jq_program = WAYMARK_JQ_PROGRAM;
  EXPECT_TRUE(file.Finish().ok()) << file.Finish();
  return Must(LocalSystems::Open(settings, nullptr, steady));
}

}  // namespace

std::string IntegrationPath(const std::string& file) {
  return std::string(WAYMARK_INTEGRATIONS) + "/" + file;
}

std::string ReadIntegrationFile(const std::string& file) { return GetFile(IntegrationPath(file)); }

std::string ReferralIdOf(char byte) {
  std::string id(ReferralId::kSize, byte);
  return id;
}

std::string Base64Of(const std::string& bytes) { return absl::Base64Escape(bytes); }

Integration::Integration(const std::string& name, const ConfigChanges& changes)
    : name_(name),
      systems_(OpenFrom(name, changes, steady_)),
      runner_(Must(JqRunner::Create({.program = WAYMARK_JQ_PROGRAM, .reveal_errors = true}))) {
  const absl::Status ready = systems_->targets().front().connector->Ready();
  EXPECT_NE(ReasonOf(ready), v1::REASON_LOCAL_SYSTEM_REFUSED) << ready;
}

v1::LocalOutward Integration::Sample(const std::string& referral_id,
                                     const std::string& state) const {
  v1::LocalOutward sample;
  const std::string text = ReadIntegrationFile(name_ + "/" + name_ + "-out.sample.json");
  EXPECT_EQ(ToStatus("the sample", ReadCanonical(text, sample)), absl::OkStatus());
  EXPECT_EQ(ToStatus("the sample", FindInvalidFields(sample.sections())), absl::OkStatus());
  sample.mutable_referral()->set_referral_id(referral_id);
  sample.mutable_referral()->set_state(state);
  return sample;
}

WriteResult Integration::Write(const v1::LocalOutward& referral) {
  const OutwardView view = {.referral = referral.referral(), .sections = referral.sections()};
  LocalTarget sampled = target();
  sampled.runner = runner_.get();
  const std::optional<std::string> record = Must(MapRecord(sampled, view, kNow));
  EXPECT_TRUE(record.has_value());
  const auto id = ReferralId::FromBytes(referral.referral().referral_id());
  return target().connector->Write({.key = id->hex(), .json = *record});
}

WriteResult Integration::Erase(const std::string& referral_id) {
  return target().connector->Erase(ReferralId::FromBytes(referral_id)->hex());
}

std::vector<std::string> Integration::ReadFeed(Feed feed) {
  std::string& cursor = cursors_[feed == Feed::kCapacity ? 0 : 1];
  std::vector<std::string> items;
  // A file is only taken once it has stayed the same for a while.
  for (int read = 0; read < 2; ++read) {
    FeedPage page = Must(target().connector->Read(feed, cursor));
    EXPECT_FALSE(page.more);
    for (const std::string& notice : page.notices) ADD_FAILURE() << notice;
    const bool everything = page.cursor == cursor;
    cursor = page.cursor;
    EXPECT_EQ(target().connector->Taken(feed, cursor), absl::OkStatus());
    std::move(page.items.begin(), page.items.end(), std::back_inserter(items));
    if (everything && !items.empty()) break;
    steady_.Advance(absl::Minutes(1));
  }
  return items;
}

std::vector<MappedUpdate> Integration::ReadUpdates() {
  const uint32_t service = Sample(ReferralIdOf(0), "ACCEPTED").referral().service_code();
  const PolicyJudge judge = JudgeByProfile(Catalogue::Default(), service, kNow);
  MappingArgs args = target().args;
  args["now"] = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", kNow, absl::UTCTimeZone());
  std::vector<MappedUpdate> all;
  for (const std::string& item : ReadFeed(Feed::kUpdates)) {
    for (MappedUpdate& update : Must(MapInward(*runner_, *target().inward, item, args, judge))) {
      const std::vector<MappingFinding> surplus = FindSurplus(update.update);
      update.findings.insert(update.findings.end(), surplus.begin(), surplus.end());
      EXPECT_EQ(ToStatus(item, update.findings), absl::OkStatus());
      all.push_back(std::move(update));
    }
  }
  return all;
}

std::vector<v1::Capacity> Integration::ReadRoom(absl::Time now) {
  MappingArgs args = target().args;
  args["now"] = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", now, absl::UTCTimeZone());
  std::vector<v1::Capacity> room;
  for (const std::string& item : ReadFeed(Feed::kCapacity)) {
    for (const std::string& output : Must(runner_->Run(*target().capacity, item, args))) {
      v1::Capacity& one = room.emplace_back();
      EXPECT_EQ(ToStatus(output, ReadCanonical(output, one)), absl::OkStatus());
      EXPECT_EQ(ToStatus(output, FindRoomFaults(one, now)), absl::OkStatus());
    }
  }
  return room;
}

}  // namespace waymark::node
