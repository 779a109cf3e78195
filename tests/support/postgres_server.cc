#include "tests/support/postgres_server.h"

#include <libpq-fe.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "base/status/status.h"
#include "tests/support/poll.h"

namespace waymark::testing {
namespace {

constexpr char kAdministrator[] = "administrator";
constexpr char kInstalled[] = "/usr/lib/postgresql";
// Short enough for the name of a socket in it.
constexpr char kParent[] = "/tmp";

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

// Where Debian keeps the server's programs: a folder per version.
std::string FindPrograms() {
  std::error_code error;
  for (const auto& version : std::filesystem::directory_iterator(kInstalled, error)) {
    const std::filesystem::path programs = version.path() / "bin";
    if (std::filesystem::exists(programs / "postgres")) return programs.string();
  }
  return "";
}

// PostgreSQL does not choose one itself.
int FreePort() {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  const bool bound = bind(probe, plain, size) == 0 && getsockname(probe, plain, &size) == 0;
  close(probe);
  return bound ? ntohs(address.sin_port) : 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresServer>> PostgresServer::Make(const std::string& parent,
                                                                     bool durable) {
  std::string folder = parent + "/waymark_postgres_XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) {
    return Error(v1::REASON_FILE_UNUSABLE, "no folder for a PostgreSQL server in " + parent);
  }
  return std::unique_ptr<PostgresServer>(new PostgresServer(folder, durable));
}

absl::StatusOr<std::unique_ptr<PostgresServer>> PostgresServer::Start() {
  return StartNew(kParent, /*durable=*/false);
}

absl::StatusOr<std::unique_ptr<PostgresServer>> PostgresServer::StartDurable(
    const std::string& parent) {
  return StartNew(parent, /*durable=*/true);
}

absl::StatusOr<std::unique_ptr<PostgresServer>> PostgresServer::StartNew(const std::string& parent,
                                                                         bool durable) {
  ASSIGN_OR_RETURN(std::unique_ptr<PostgresServer> server, Make(parent, durable));
  RETURN_IF_ERROR(server->Initialise());
  RETURN_IF_ERROR(server->Resume());
  RETURN_IF_ERROR(server
                      ->Query("postgres", std::string("CREATE ROLE ") + kKeeper +
                                              " LOGIN PASSWORD 'keeper''s word'")
                      .status());
  return server;
}

absl::StatusOr<std::unique_ptr<PostgresServer>> PostgresServer::StartStandby(
    const PostgresServer& primary) {
  ASSIGN_OR_RETURN(std::unique_ptr<PostgresServer> server, Make(kParent, /*durable=*/false));
  const std::string& folder = server->folder_;
  RETURN_IF_ERROR(server->Prepare());
  RETURN_IF_ERROR(RunToEnd({.command = server->AsServerUser(
                                {server->programs_ + "/pg_basebackup", "--pgdata", folder + "/data",
                                 "--write-recovery-conf", "--checkpoint=fast", "--dbname",
                                 primary.Target("postgres") + " application_name=standby"}),
                            .output = folder + "/basebackup.log"}));
  server->port_ = FreePort();
  RETURN_IF_ERROR(server->MakeCertificate());
  RETURN_IF_ERROR(server->Resume());
  return server;
}

PostgresServer::~PostgresServer() {
  Stop();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::vector<std::string> PostgresServer::AsServerUser(std::vector<std::string> command) const {
  if (user_.empty()) return command;
  // Changing the user forgets that the child is to die with its parent.
  std::vector<std::string> whole = {"/usr/bin/setpriv", "--reuid=" + user_, "--regid=" + user_,
                                    "--clear-groups", "--pdeathsig=KILL"};
  whole.insert(whole.end(), command.begin(), command.end());
  return whole;
}

absl::Status PostgresServer::Prepare() {
  programs_ = FindPrograms();
  if (programs_.empty()) {
    return Error(v1::REASON_INTERNAL, "there is no PostgreSQL server in " +
                                          std::string(kInstalled) +
                                          "; install the package postgresql");
  }
  if (geteuid() == 0) {
    user_ = "postgres";
    const passwd* user = getpwnam(user_.c_str());
    if (user == nullptr || chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0) {
      return Error(v1::REASON_INTERNAL,
                   "root cannot run PostgreSQL, and there is no user postgres");
    }
  }
  return absl::OkStatus();
}

absl::Status PostgresServer::Initialise() {
  RETURN_IF_ERROR(Prepare());
  RETURN_IF_ERROR(RunToEnd(
      {.command = AsServerUser({programs_ + "/initdb", "-D", folder_ + "/data", "-U",
                                kAdministrator, "-E", "UTF8", "--locale=C.UTF-8", "--auth=trust",
                                durable_ ? "--data-checksums" : "--no-sync"}),
       .output = folder_ + "/initdb.log"}));
  std::ofstream(folder_ + "/data/pg_hba.conf")
      << "local all " << kKeeper << " scram-sha-256\nlocal all all trust\n"
      << "local replication all trust\n"
      << "hostssl all " << kKeeper << " 127.0.0.1/32 scram-sha-256\n";
  port_ = FreePort();
  return MakeCertificate();
}

absl::Status PostgresServer::MakeCertificate() const {
  return RunToEnd({.command = AsServerUser({"/usr/bin/openssl", "req", "-x509", "-nodes", "-newkey",
                                            "rsa:2048", "-days", "2", "-subj", "/CN=localhost",
                                            "-addext", "subjectAltName=DNS:localhost", "-keyout",
                                            folder_ + "/server.key", "-out", certificate()}),
                   .output = folder_ + "/openssl.log"});
}

std::string PostgresServer::Target(const std::string& database) const {
  return "host=" + folder_ + " port=" + std::to_string(port_) + " user=" + kAdministrator +
         " dbname=" + database;
}

std::string PostgresServer::Url(const std::string& database) const {
  return std::string("postgresql://") + kAdministrator + "@/" + database + "?host=" + host() +
         "&port=" + std::to_string(port_);
}

void PostgresServer::Stop() {
  if (server_ == nullptr) return;
  server_->Signal(SIGINT);
  server_->Wait(absl::Seconds(30));
  server_ = nullptr;
}

bool PostgresServer::Vacated() const {
  // The seventh line names the key and the number of the shared memory that they are attached to.
  constexpr int kMemoryLine = 7;
  std::ifstream file(folder_ + "/data/postmaster.pid");
  std::string line;
  for (int i = 0; i < kMemoryLine; ++i) std::getline(file, line);
  std::istringstream memory(line);
  uint64_t key = 0;
  int number = 0;
  shmid_ds state = {};
  return !file || !(memory >> key >> number) || shmctl(number, IPC_STAT, &state) != 0 ||
         state.shm_nattch == 0;
}

absl::Status PostgresServer::Resume() {
  // The others of one that was killed finish what they are at.
  if (!Eventually([this] { return Vacated(); })) {
    return Error(v1::REASON_INTERNAL, "processes of a PostgreSQL server outlive it");
  }
  std::vector<std::string> command = {
      programs_ + "/postgres", "-D", folder_ + "/data", "-k", folder_, "-p", std::to_string(port_)};
  const auto set = [&command](const std::string& setting) {
    command.insert(command.end(), {"-c", setting});
  };
  set("listen_addresses=127.0.0.1");
  set("ssl=on");
  set("ssl_cert_file=" + certificate());
  set("ssl_key_file=" + folder_ + "/server.key");
  if (!durable_) {
    set("fsync=off");
    set("shared_buffers=16MB");
  }
  ASSIGN_OR_RETURN(server_, Process::Start({.command = AsServerUser(std::move(command)),
                                            .output = folder_ + "/server.log"}));
  const std::string target = Target("postgres");
  const auto ready = [&] { return PQping(target.c_str()) == PQPING_OK || !server_->running(); };
  if (Eventually(ready) && server_->running()) return absl::OkStatus();
  return Error(v1::REASON_INTERNAL, "PostgreSQL does not start: " + folder_ + "/server.log");
}

void PostgresServer::Kill() {
  if (server_ != nullptr) server_->Kill();
  server_ = nullptr;
}

absl::Status PostgresServer::Promote() {
  return RunToEnd(
      {.command = AsServerUser({programs_ + "/pg_ctl", "promote", "-w", "-D", folder_ + "/data"}),
       .output = folder_ + "/promote.log"});
}

absl::Status PostgresServer::CreateDatabase(const std::string& name) {
  return Query("postgres", "CREATE DATABASE " + name).status();
}

absl::StatusOr<std::vector<std::string>> PostgresServer::Query(const std::string& database,
                                                               const std::string& sql) const {
  const Connection connection(PQconnectdb(Target(database).c_str()), &PQfinish);
  const Result result(PQexec(connection.get(), sql.c_str()), &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    return Error(v1::REASON_INTERNAL, PQerrorMessage(connection.get()));
  }
  const int count = PQntuples(result.get());
  std::vector<std::string> values;
  values.reserve(static_cast<size_t>(count));
  for (int row = 0; row < count; ++row) values.emplace_back(PQgetvalue(result.get(), row, 0));
  return values;
}

}  // namespace waymark::testing
