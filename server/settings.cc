#include "server/settings.h"

#include <utility>

#include "base/config/config.h"
#include "base/directory/network.h"
#include "base/program/program.h"
#include "base/random/random.h"
#include "base/secret/secret.h"
#include "base/status/status.h"
#include "server/store/postgres/connection.h"

namespace waymark::hub {
namespace {

// Where the hub stores; no URL for a file in the data folder.
absl::StatusOr<PgTarget> ReadStore(ConfigSection& root) {
  PgTarget store;
  ASSIGN_OR_RETURN(store.url, root.String("store", ""));
  ASSIGN_OR_RETURN(store.password, ReadSecretReference(root, "store_password"));
  if (store.url.empty()) return store;
  if (const absl::Status checked = CheckPgUrl(store.url); !checked.ok()) {
    return root.Invalid("store", std::string(checked.message()));
  }
  return store;
}

}  // namespace

absl::StatusOr<Settings> ReadSettings(const std::string& path, const ProgramOptions& program) {
  ASSIGN_OR_RETURN(ConfigFile file, ConfigFile::Load(path));
  ConfigSection root = file.root();
  ASSIGN_OR_RETURN(const std::string data, root.Path("data"));
  ASSIGN_OR_RETURN(const std::string network_path, root.Path("network"));
  ASSIGN_OR_RETURN(const std::string catalogue, root.Path("catalogue", ""));
  ASSIGN_OR_RETURN(const std::string listen, root.Address("listen"));
  ASSIGN_OR_RETURN(const std::string enrolment_listen, root.Address("enrolment_listen"));
  ASSIGN_OR_RETURN(const std::string metrics_listen,
                   root.Address("metrics_listen", "127.0.0.1:9464"));
  ASSIGN_OR_RETURN(ConfigSection tls, root.Section("tls"));
  ASSIGN_OR_RETURN(const std::string key, tls.Path("key", data + "/" + kKeyFile));
  ASSIGN_OR_RETURN(const std::string certificate,
                   tls.Path("certificate", data + "/" + kCertificateFile));
  ASSIGN_OR_RETURN(const LogOptions log, ReadLogOptions(root));
  ASSIGN_OR_RETURN(const PgTarget store, ReadStore(root));
  RETURN_IF_ERROR(file.Finish());
  ASSIGN_OR_RETURN(const Network network, LoadNetwork(network_path));
  Hub::Options options{.data = data, .network = network};
  options.store = store.url;
  options.store_password = store.password;
  options.version = WAYMARK_VERSION;
  options.catalogue = catalogue;
  options.listen = listen;
  options.enrolment_listen = enrolment_listen;
  options.metrics_listen = metrics_listen;
  options.tls_key = key;
  options.tls_certificate = certificate;
  options.clock = program.clock;
  options.random = &SystemRandom();
  options.frame_recorder = program.frame_recorder;
  return Settings{std::move(options), log};
}

}  // namespace waymark::hub
