// The real `waymark` program against a node that is made up: what it prints, where it keeps its
// session, and how it exits.
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/schema/field_registry.h"
#include "gmock/gmock.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "tests/client/cli/fake_node.h"

namespace waymark::node {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

class ProgramTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/waymark-cli-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void StartNode() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix:" + folder_ + "/node.sock", grpc::InsecureServerCredentials());
    builder.RegisterService(&node_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
  }

  std::string Write(const std::string& name, const std::string& content) {
    std::string path = folder_ + "/" + name;
    std::ofstream(path) << content;
    chmod(path.c_str(), 0600);
    return path;
  }

  static std::string Slurp(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  Outcome Run(const std::string& arguments) {
    const std::string command = environment_ + "WAYMARK_SOCKET='" + folder_ +
                                "/node.sock' WAYMARK_SESSION='" + folder_ +
                                "/session' TZ=UTC '" WAYMARK_PROGRAM "' " + arguments +
                                " </dev/null >'" + folder_ + "/out' 2>'" + folder_ + "/err'";
    node_.EndTurn();
    const int status = std::system(command.c_str());
    node_.EndTurn();
    return {.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
            .out = Slurp(folder_ + "/out"),
            .err = Slurp(folder_ + "/err")};
  }

  std::string folder_;
  // Variables in front of the command, each with a space behind it.
  std::string environment_;
  FakeNode node_;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(ProgramTest, HelpSaysWhatThereIsAndHowItExits) {
  const Outcome help = Run("--help");
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.out, HasSubstr("Exit codes: 0 ok"));
  EXPECT_THAT(help.out, HasSubstr("inquire"));
  const Outcome one = Run("consent record --help");
  EXPECT_EQ(one.code, 0);
  EXPECT_THAT(one.out, HasSubstr("--confirmed"));
  EXPECT_THAT(one.out, HasSubstr("Example:"));
  const Outcome dotted = Run("service publish --help");
  EXPECT_THAT(dotted.out, HasSubstr("'unit: lin.family' names the unit."));
  EXPECT_THAT(dotted.out, HasSubstr("A new one gets a random id."));
  EXPECT_THAT(Run("--version").out, StartsWith("waymark "));
}

TEST_F(ProgramTest, WrongUsageIsTwoAndSaysWhatToDo) {
  const Outcome unknown = Run("inqire");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("there is no command 'inqire'"));
  for (const char* arguments : {"", "case", "case open", "inbox --no-such-option",
                                "withdraw --case a --consent b", "completion fish"}) {
    const Outcome outcome = Run(arguments);
    EXPECT_EQ(outcome.code, 2) << arguments;
    EXPECT_THAT(outcome.err, StartsWith("waymark: ")) << arguments;
    EXPECT_EQ(outcome.out, "") << arguments;
  }
}

// No name of the schema, no word of a library: what is wrong with which option, and what to give.
TEST_F(ProgramTest, WrongValuesAreNamedByTheirOption) {
  StartNode();
  ASSERT_EQ(Run("login ana --passphrase-file " + Write("right", "correct horse battery")).code, 0);
  const struct {
    const char* arguments;
    const char* text;
  } cases[] = {
      {"capacity set lin-206 NO_CAPACITY --until 2020-01-01T00:00", "--until has passed"},
      {"offer 9ab1c2 --start 2027-01-01T00:00 --hold 2020-01-01T00:00", "--hold has passed"},
      {"need add QSO-c-7714 206 --rank 0 --urgency U0", "--rank counts from 1"},
      {"need add QSO-c-7714 abc --rank 1 --urgency U0", "CODE takes a number"},
      {"accept 9ab1c2", "give --consent"},
      {"disclose 9ab1c2", "'waymark consent list CASE'"},
      {"consent read-back QSO-c-7714 --until 2027-03-09T13:30", "--until takes a whole hour"},
  };
  for (const auto& test : cases) {
    const Outcome outcome = Run(test.arguments);
    EXPECT_EQ(outcome.code, 2) << test.arguments;
    EXPECT_THAT(outcome.err, HasSubstr(test.text)) << test.arguments;
  }
}

TEST_F(ProgramTest, ANodeThatDoesNotRunIsSix) {
  const Outcome outcome = Run("inbox");
  EXPECT_EQ(outcome.code, 6);
  EXPECT_THAT(outcome.err, HasSubstr("cannot reach the node at " + folder_ + "/node.sock"));
  EXPECT_THAT(outcome.err, HasSubstr("waymark-node serve"));
}

TEST_F(ProgramTest, LogsInKeepsTheSessionPrivateAndLogsOut) {
  StartNode();
  EXPECT_EQ(Run("case list").code, 4);
  const std::string wrong = Write("wrong", "something else\n");
  EXPECT_EQ(Run("login ana --passphrase-file " + wrong).code, 4);
  const std::string right = Write("right", "correct horse battery\nmore\n");
  const Outcome login = Run("login ana --passphrase-file " + right);
  ASSERT_EQ(login.code, 0) << login.err;
  EXPECT_THAT(login.out, Not(HasSubstr(kToken)));
  struct stat session = {};
  ASSERT_EQ(stat((folder_ + "/session").c_str(), &session), 0);
  EXPECT_EQ(session.st_mode & 0777, 0600u);

  const Outcome table = Run("case list");
  EXPECT_EQ(table.code, 0) << table.err;
  EXPECT_THAT(table.out, HasSubstr("QSO-c-7714"));
  EXPECT_THAT(Run("--json case list").out, StartsWith("{\"cases\":[{"));
  EXPECT_EQ(Run("logout").code, 0);
  EXPECT_TRUE(node_.logged_out);
  EXPECT_EQ(Run("case list").code, 4);
  EXPECT_EQ(Run("logout").code, 0) << "once more changes nothing";
}

TEST_F(ProgramTest, APreviewThatHoldsBackSaysFirstThatNothingGoes) {
  StartNode();
  ASSERT_EQ(Run("login ana --passphrase-file " + Write("right", "correct horse battery")).code, 0);
  const std::string preview = "preview accept " + std::string(32, '1');
  EXPECT_THAT(Run(preview).out, StartsWith("to lin.family, stage "));
  node_.holds_back = true;
  const Outcome outcome = Run(preview);
  EXPECT_EQ(outcome.code, 4);
  EXPECT_THAT(outcome.out, StartsWith("nothing goes"));
  EXPECT_THAT(outcome.out, HasSubstr("held back: NEED.quantity"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("exactly this")));
}

TEST_F(ProgramTest, AReferralThatWasWithdrawnSaysWhyItIsEmpty) {
  StartNode();
  ASSERT_EQ(Run("login ana --passphrase-file " + Write("right", "correct horse battery")).code, 0);
  node_.referral.mutable_summary()->set_state("WITHDRAWN");
  const Outcome shown = Run("show " + std::string(32, '1'));
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("the person withdrew"));
  EXPECT_THAT(shown.out, HasSubstr("What was shared is erased"));
  EXPECT_THAT(shown.out, Not(HasSubstr("due: -")));
}

TEST_F(ProgramTest, JsonHasItsListsAndItsErrors) {
  StartNode();
  const Outcome refused = Run("--json case list");
  EXPECT_EQ(refused.code, 4);
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(refused.err, StartsWith("{"));
  EXPECT_THAT(refused.err, HasSubstr("\"reason\":\"STAFF_NOT_ALLOWED\""));
  EXPECT_THAT(refused.err, HasSubstr("\"text\":\"there is no login.\""));
  EXPECT_THAT(refused.err, HasSubstr("\"cure\":\"Log in with"));
  EXPECT_THAT(refused.err, HasSubstr("\"exit_code\":4"));
  EXPECT_THAT(Run("inbox --no-such-option --json").err, HasSubstr("\"exit_code\":2"));

  ASSERT_EQ(Run("login ana --passphrase-file " + Write("right", "correct horse battery")).code, 0);
  EXPECT_EQ(Run("inbox --json").out, "{\"referrals\":[]}\n");
  EXPECT_EQ(Run("logout --json").out, "{\"done\":true}\n");
}

TEST_F(ProgramTest, PeopleSeeTheLabelsOfTheNode) {
  StartNode();
  ASSERT_EQ(Run("login ana --passphrase-file " + Write("right", "correct horse battery")).code, 0);
  const std::string preview = "preview accept " + std::string(32, '1');
  EXPECT_THAT(Run(preview).out, HasSubstr("stage Accepted"));
  node_.has_labels = true;
  EXPECT_THAT(Run(preview).out, HasSubstr("stage the person said yes"));
}

TEST_F(ProgramTest, AnAmbiguousNameListsTheChoices) {
  StartNode();
  const std::string right = Write("right", "correct horse battery");
  ASSERT_EQ(Run("login ana --passphrase-file " + right).code, 0);
  const Outcome several = Run("case show abcd");
  EXPECT_EQ(several.code, 2);
  EXPECT_THAT(several.err, HasSubstr("QSO-c-7714"));
  EXPECT_THAT(several.err, HasSubstr("QSO-c-7715"));
  EXPECT_EQ(Run("case show QSO-c-9999").code, 3);
}

TEST_F(ProgramTest, ShowsCoverageForPeopleAndForPrograms) {
  StartNode();
  const std::string right = Write("right", "correct horse battery");
  ASSERT_EQ(Run("login ana --passphrase-file " + right).code, 0);
  const std::string filters =
      "coverage --area XA-M --category 206 --language ti --need with-children --gaps";
  const Outcome table = Run(filters);
  EXPECT_EQ(table.code, 0) << table.err;
  EXPECT_EQ(table.out,
            "Nobody in 1 of 1 cells of kind and area.\n\n"
            "WHAT                                        NOBODY IN\n"
            "206 Accommodation with children or partner  XA-M\n");
  const std::string json = Run("--json " + filters).out;
  EXPECT_THAT(json, HasSubstr(R"("cells_total":1,"cells_nobody":1,"cells":[{"code":206,)"));
  EXPECT_THAT(json, HasSubstr(R"("nobody":true)"));
  EXPECT_THAT(json, HasSubstr(R"("areas":[])"));
  EXPECT_EQ(Run("coverage --need nothing").code, 2);
}

TEST_F(ProgramTest, MakesANetworkOnceAndOnlyOnce) {
  const std::string create = "network create --dir '" + folder_ +
                             "/registry' --name Harbour --hub localhost:7443 "
                             "--enrolment localhost:7444";
  const Outcome made = Run(create);
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/registry/network.json"));
  EXPECT_EQ(Run(create).code, 7);
  const Outcome json = Run("--json network create --dir '" + folder_ +
                           "/second' --name Harbour --hub localhost:1 --enrolment localhost:2");
  EXPECT_EQ(json.code, 0) << json.err;
  EXPECT_THAT(json.out, HasSubstr("\"network_id\":\""));
  const Outcome nowhere = Run("network create --dir '" + folder_ +
                              "/other' --name Harbour --hub a --enrolment localhost:7444");
  EXPECT_EQ(nowhere.code, 2);
  EXPECT_THAT(nowhere.err, HasSubstr("hub_addresses: expected an address"));
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/other"));
  EXPECT_EQ(Run("registry sign-hub '" + folder_ + "/none.csr' --out '" + folder_ +
                "/hub.crt' --dir '" + folder_ + "/registry'")
                .code,
            2);
}

TEST_F(ProgramTest, TheFolderThatIsGivenBeatsTheEnvironment) {
  const std::string create =
      "network create --name Harbour --hub localhost:7443 "
      "--enrolment localhost:7444";
  EXPECT_THAT(Run(create).err, HasSubstr("give --dir PATH or set WAYMARK_REGISTRY"));
  environment_ = "WAYMARK_REGISTRY='" + folder_ + "/theirs' ";
  EXPECT_EQ(Run(create + " --dir '" + folder_ + "/ours'").code, 0);
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/ours/network.json"));
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/theirs"));
  EXPECT_EQ(Run(create).code, 0);
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/theirs/network.json"));
}

TEST_F(ProgramTest, AnInvitationIsNotWrittenOverAnother) {
  const std::string other = Write("lin.invitation", "unused");
  const Outcome refused =
      Run("registry invite --handle lin --name Linden --class NGO "
          "--jurisdiction XA --pack us-vsp --unit family=Rooms --dir '" +
          folder_ + "' --out '" + other + "'");
  EXPECT_EQ(refused.code, 7);
  EXPECT_THAT(refused.err, HasSubstr(other + " is there already"));
  EXPECT_EQ(Slurp(other), "unused");
}

TEST_F(ProgramTest, EveryNewMappingPassesItsOwnTest) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder_);
  for (const std::string kind : {"housing", "legal", "medical", "language", "generic"}) {
    const Outcome made = Run("map new " + kind);
    EXPECT_EQ(made.code, 0) << made.err;
    for (const std::string direction : {"out", "in", "capacity"}) {
      const std::string mapping = Slurp(absl::StrCat(folder_, "/", kind, "-", direction, ".jq"));
      // The head of the file says how to try it.
      const size_t start = mapping.find("waymark map test ");
      ASSERT_NE(start, std::string::npos) << kind;
      const std::string command = mapping.substr(start + 8, mapping.find('\n', start) - start - 8);
      const Outcome tried = Run(command);
      EXPECT_EQ(tried.code, 0) << command << "\n" << tried.out << tried.err;
      EXPECT_THAT(tried.out, HasSubstr("output 1\n"));
      EXPECT_THAT(tried.out, testing::EndsWith("no finding\n"));
    }
    EXPECT_EQ(Run("map new " + kind).code, 7);
  }
  std::filesystem::current_path(before);
}

TEST_F(ProgramTest, MapTestShowsEveryFindingAndFails) {
  const std::string mapping = Write("in.jq", R"({referral_id: "AAECAwQFBgcICQoLDA0ODw==",
    kind: "KIND_PROGRESS", sections: {iden: {name_to_use: .name}, prog: {next_need_codes: [7]}}})");
  const std::string sample = Write("sample.json", R"({"name": "Robin"})");
  const std::string command = "map test '" + mapping + "' --sample '" + sample + "' --direction in";
  const Outcome tried = Run(command + " --service 206");
  EXPECT_EQ(tried.code, 2);
  EXPECT_THAT(tried.out, HasSubstr("! RETURN_FIELD: IDEN.name_to_use "));
  EXPECT_THAT(tried.out, HasSubstr("! FIELD_INVALID: PROG.next_need_codes "));
  EXPECT_THAT(tried.err, HasSubstr("findings, each named above"));
  const Outcome json = Run("--json " + command);
  EXPECT_EQ(json.code, 2);
  EXPECT_THAT(json.out,
              StartsWith(R"({"input":{"name": "Robin"},"sample_findings":[],"outputs":[)"));
  EXPECT_THAT(json.out, HasSubstr("\"field\":\"PROG.next_need_codes\""));

  EXPECT_EQ(Run("map test '" + Write("broken.jq", "{") + "' --sample '" + sample + "'").code, 2);
  EXPECT_EQ(Run("map test /nowhere.jq --sample '" + sample + "'").code, 2);
  const Outcome raised = Run("map test '" + Write("raise.jq", "error(.name)") + "' --sample '" +
                             sample + "' --direction in");
  EXPECT_EQ(raised.code, 2);
  EXPECT_THAT(raised.err, HasSubstr("Robin"));
  const Outcome missing = Run(command + " --jq /nowhere/waymark-jq");
  EXPECT_EQ(missing.code, 6);
  EXPECT_THAT(missing.err, HasSubstr("waymark-jq is installed"));
}

TEST_F(ProgramTest, TheCompletionScriptIsOneThatBashReads) {
  const Outcome script = Run("completion bash");
  EXPECT_EQ(script.code, 0);
  EXPECT_THAT(script.out, HasSubstr("'consent record')"));
  const std::string path = Write("completion", script.out);
  EXPECT_EQ(std::system(("bash -n '" + path + "'").c_str()), 0);
}

TEST_F(ProgramTest, StatusSaysThatTheOrganisationIsSuspendedAndWhatToDo) {
  StartNode();
  const std::string passphrase = Write("right", "correct horse battery\n");
  ASSERT_EQ(Run("login ana --passphrase-file " + passphrase).code, 0);
  node_.status.set_connected(true);
  node_.status.mutable_member()->set_handle("lin");
  node_.status.mutable_member()->set_status(v1::MEMBER_STATUS_ACTIVE);
  EXPECT_THAT(Run("status").out, Not(HasSubstr("suspended")));
  node_.status.set_restricted(true);
  const Outcome restricted = Run("status");
  EXPECT_EQ(restricted.code, 0) << restricted.err;
  EXPECT_THAT(restricted.out, HasSubstr("up, for withdrawals only"));
  EXPECT_THAT(restricted.out, HasSubstr("This organisation is suspended."));
  EXPECT_THAT(restricted.out, HasSubstr("waymark registry reinstate lin"));
  // The directory says so while the hub cannot be reached.
  node_.status.set_connected(false);
  node_.status.set_restricted(false);
  node_.status.mutable_member()->set_status(v1::MEMBER_STATUS_SUSPENDED);
  EXPECT_THAT(Run("status").out, HasSubstr("This organisation is suspended."));
}

TEST_F(ProgramTest, DoctorLooksAtTheNodeAndAtTheMachine) {
  const Outcome alone = Run("doctor");
  EXPECT_EQ(alone.code, 2);
  EXPECT_THAT(alone.out, HasSubstr("error    node: no node answers at " + folder_));
  EXPECT_THAT(alone.out, HasSubstr("warning  data: there is no node's data at " + folder_));
  node_.status.set_connected(true);
  node_.status.set_clock_skew_ms(90'000);
  StartNode();
  const Outcome ahead = Run("--json doctor");
  EXPECT_EQ(ahead.code, 2) << ahead.err;
  EXPECT_THAT(ahead.out, StartsWith("{"));
  EXPECT_THAT(ahead.out, HasSubstr("the clock of this machine is 1m30s ahead of the hub's"));
  EXPECT_THAT(ahead.out, HasSubstr("\"the link to the hub is up\""));
}

TEST_F(ProgramTest, ShowsWhatAQuestionAndACancellationSay) {
  StartNode();
  const std::string passphrase = Write("right", "correct horse battery\n");
  ASSERT_EQ(Run("login ana --passphrase-file " + passphrase).code, 0);
  node_.referral.mutable_summary()->set_state("CLARIFYING");
  v1::ReferralEvent* question = node_.referral.add_events();
  question->set_kind(v1::KIND_CLARIFICATION);
  question->set_delivery(v1::DELIVERY_STATE_INCOMING);
  question->mutable_clarification()->set_code(v1::CLARIFICATION_CODE_FIELDS_NEEDED);
  question->mutable_clarification()->add_field_nos(FieldByName("NEED.quantity")->field_no);
  v1::ReferralEvent* cancel = node_.referral.add_events();
  cancel->set_kind(v1::KIND_CANCEL);
  cancel->set_delivery(v1::DELIVERY_STATE_INCOMING);
  cancel->set_cancellation_code("PE1");
  const Outcome shown = Run("show " + std::string(32, 'a'));
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("These are needed to answer: NEED.quantity"));
  EXPECT_THAT(shown.out, HasSubstr("PE1 The person chose another"));
}

TEST_F(ProgramTest, SaysWhatConflictsWhenAServiceIsAskedAllTheSame) {
  StartNode();
  const std::string passphrase = Write("right", "correct horse battery\n");
  ASSERT_EQ(Run("login ana --passphrase-file " + passphrase).code, 0);
  std::string service;
  for (int i = 0; i < 16; ++i) service += "73";
  const std::string id(32, 'a');
  const Outcome asked = Run("capacity ask " + id + " " + id + " " + service);
  EXPECT_EQ(asked.code, 0) << asked.err;
  EXPECT_THAT(asked.out, HasSubstr("in spite of a conflict: s-206: Is full."));
  EXPECT_THAT(asked.out, Not(HasSubstr("t-206"))) << "that one was not asked";
}

TEST_F(ProgramTest, ShowsWhatThoseOfAServiceAreTrainedIn) {
  StartNode();
  const std::string passphrase = Write("right", "correct horse battery\n");
  ASSERT_EQ(Run("login ana --passphrase-file " + passphrase).code, 0);
  for (const char* command : {"directory", "service list"}) {
    const Outcome shown = Run(command);
    EXPECT_EQ(shown.code, 0) << shown.err;
    EXPECT_THAT(shown.out, HasSubstr("Children, Working across cultures (INTERPRETERS): run out"));
  }
}

TEST_F(ProgramTest, ConfirmsTheIdentityKeyOfAnOrganisation) {
  StartNode();
  const std::string passphrase = Write("right", "correct horse battery\n");
  ASSERT_EQ(Run("login ana --passphrase-file " + passphrase).code, 0);
  const Outcome shown = Run("directory");
  EXPECT_THAT(shown.out, HasSubstr("CHANGED"));
  EXPECT_THAT(shown.out, HasSubstr("AB12 CD34"));
  EXPECT_EQ(Run("key confirm lin.family --fingerprint 'AB12 CD34'").code, 3) << "a unit has none";
  const Outcome confirmed = Run("key confirm lin --fingerprint 'AB12 CD34'");
  EXPECT_EQ(confirmed.code, 0) << confirmed.err;
  EXPECT_THAT(confirmed.out, HasSubstr("the identity key of lin is confirmed"));
  EXPECT_EQ(node_.confirmed.organisation_id(), std::string(16, 'o'));
  EXPECT_EQ(node_.confirmed.fingerprint(), "AB12 CD34");
}

TEST_F(ProgramTest, ShowsWhatLocalSystemsDidNotTakeAndMendsIt) {
  StartNode();
  const std::string passphrase = Write("right", "correct horse battery\n");
  ASSERT_EQ(Run("login ana --passphrase-file " + passphrase).code, 0);
  const Outcome list = Run("local list");
  EXPECT_EQ(list.code, 0) << list.err;
  EXPECT_THAT(list.out, HasSubstr("61616161  beds    72727272  WRITE  UNCERTAIN"));
  EXPECT_THAT(list.out, HasSubstr("DEAD"));
  EXPECT_THAT(list.out, HasSubstr("the table is full"));
  EXPECT_THAT(list.out, HasSubstr("61616161, key 7272\n  Look for the record.\n"));
  EXPECT_THAT(list.out, Not(HasSubstr("DONE")));
  EXPECT_THAT(Run("local list --all").out, HasSubstr("DONE"));
  EXPECT_THAT(Run("--json local list").out, HasSubstr(R"("state":"LOCAL_DELIVERY_STATE_DEAD")"));

  EXPECT_THAT(Run("local replay 6262").out, HasSubstr("1 delivery is tried again now"));
  EXPECT_EQ(node_.replayed.delivery_id(), std::string(16, 'b'));
  EXPECT_THAT(Run("local replay --all --connector beds").out, HasSubstr("2 deliveries are"));
  EXPECT_EQ(node_.replayed.connector(), "beds");
  EXPECT_EQ(node_.replayed.delivery_id(), "");
  EXPECT_EQ(Run("local resolve 6161 --not-there").code, 0);
  EXPECT_EQ(node_.resolved.sighting(), v1::LOCAL_SIGHTING_NOT_THERE);
  EXPECT_EQ(Run("local resolve 6161 --there").out, "noted: the record is there\n");
  for (const char* wrong :
       {"local replay", "local replay 6262 --all", "local resolve 6161",
        "local resolve 6161 --there --not-there", "local replay 6262 --connector beds"}) {
    EXPECT_EQ(Run(wrong).code, 2) << wrong;
  }
  EXPECT_EQ(Run("local resolve 9999 --there").code, 3);

  EXPECT_THAT(Run("local items").out, HasSubstr("\n69696969\n  ! FIELD_INVALID: kind is no step\n"
                                                "  {\"said\":\"something\"}\n"));
  const Outcome retried = Run("local retry 6969");
  EXPECT_EQ(retried.code, 2);
  EXPECT_THAT(retried.err, HasSubstr("kind is no step"));
  EXPECT_EQ(Run("--json local drop 6969").out, "{\"done\":true}\n");
  EXPECT_EQ(node_.dropped, std::string(16, 'i'));
}

TEST_F(ProgramTest, TheStatusCountsWhatLocalSystemsGot) {
  StartNode();
  const std::string passphrase = Write("right", "correct horse battery\n");
  ASSERT_EQ(Run("login ana --passphrase-file " + passphrase).code, 0);
  EXPECT_THAT(Run("status").out, Not(HasSubstr("LOCAL SYSTEM")));
  v1::LocalSystemStatus& system = *node_.status.add_local_systems();
  system.set_connector("beds");
  system.set_dead(3);
  system.set_written(41);
  EXPECT_THAT(
      Run("status").out,
      HasSubstr("LOCAL SYSTEM  WAITING  UNCERTAIN  DEAD  WRITTEN  ERASED  FAILED  TIME TO RECORD\n"
                "beds          0        0          3     41       0       0       -\n"));
  system.mutable_median_time_to_record()->set_nanos(250'000'000);
  system.mutable_longest_time_to_record()->set_seconds(90);
  EXPECT_THAT(Run("status").out, HasSubstr("41       0       0       250ms, at most 1m30s\n"));
}

}  // namespace
}  // namespace waymark::node
