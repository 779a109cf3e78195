#include "server/web/running.h"

#include "httplib.h"

namespace waymark::hub {

std::optional<std::string> RunningVersion(const std::string& metrics_listen) {
  constexpr int kSeconds = 3;
  httplib::Client client("http://" + metrics_listen);
  client.set_connection_timeout(kSeconds);
  client.set_read_timeout(kSeconds);
  const auto answer = client.Get("/metrics");
  if (!answer || answer->status != 200) return std::nullopt;
  const std::string mark = "waymark_build_info{version=\"";
  const size_t found = answer->body.find(mark);
  if (found == std::string::npos) return std::nullopt;
  const size_t begin = found + mark.size();
  return answer->body.substr(begin, answer->body.find('"', begin) - begin);
}

}  // namespace waymark::hub
