// The only file that knows yaml-cpp: catches its exceptions and copies its nodes.

#include "yaml-cpp/yaml.h"

#include <exception>

#include "base/config/node.h"
#include "base/status/status.h"

namespace waymark {
namespace {

constexpr int kMaxDepth = 16;
constexpr int kMaxNodes = 10000;

absl::Status Invalid(const std::string& file, int line, const std::string& detail) {
  return Error(v1::REASON_CONFIG_INVALID, file + ":" + std::to_string(line) + ": " + detail);
}

int LineOf(const YAML::Node& node) { return node.Mark().line + 1; }

// Copies a YAML tree. May throw what yaml-cpp throws.
class Copier {
 public:
  explicit Copier(const std::string& path) : file_(std::make_shared<const std::string>(path)) {}

  absl::StatusOr<std::unique_ptr<ConfigNode>> Copy(const YAML::Node& yaml, const std::string& name,
                                                   int depth) {
    if (depth > kMaxDepth || ++nodes_ > kMaxNodes) {
      return Invalid(*file_, LineOf(yaml), "the file is nested too deeply or too large");
    }
    auto node = std::make_unique<ConfigNode>();
    node->file = file_;
    node->line = LineOf(yaml);
    node->name = name;
    if (yaml.IsScalar()) {
      node->kind = ConfigNode::Kind::kScalar;
      node->scalar = yaml.Scalar();
    } else if (yaml.IsSequence()) {
      RETURN_IF_ERROR(CopyList(yaml, depth, *node));
    } else if (yaml.IsMap()) {
      RETURN_IF_ERROR(CopyMapping(yaml, depth, *node));
    }
    return node;
  }

 private:
  absl::Status CopyList(const YAML::Node& yaml, int depth, ConfigNode& node) {
    node.kind = ConfigNode::Kind::kList;
    for (const YAML::Node& item : yaml) {
      const std::string name = node.name + "[" + std::to_string(node.list.size()) + "]";
      ASSIGN_OR_RETURN(auto child, Copy(item, name, depth + 1));
      node.list.push_back(std::move(child));
    }
    return absl::OkStatus();
  }

  absl::Status CopyMapping(const YAML::Node& yaml, int depth, ConfigNode& node) {
    node.kind = ConfigNode::Kind::kMapping;
    for (const auto& entry : yaml) {
      if (!entry.first.IsScalar()) {
        return Invalid(*file_, LineOf(entry.first), "a key must be a single word");
      }
      const std::string key = entry.first.Scalar();
      for (const auto& [earlier, unused] : node.mapping) {
        if (earlier == key) {
          return Invalid(*file_, LineOf(entry.first), key + " is there twice");
        }
      }
      const std::string name = node.name.empty() ? key : node.name + "." + key;
      ASSIGN_OR_RETURN(auto child, Copy(entry.second, name, depth + 1));
      child->line = LineOf(entry.first);
      node.mapping.emplace_back(key, std::move(child));
    }
    return absl::OkStatus();
  }

  std::shared_ptr<const std::string> file_;
  int nodes_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ConfigNode>> ParseYaml(const std::string& text,
                                                      const std::string& path) {
  try {
    const YAML::Node yaml = YAML::Load(text);
    ASSIGN_OR_RETURN(auto root, Copier(path).Copy(yaml, "", 0));
    if (root->kind != ConfigNode::Kind::kMapping && !yaml.IsNull()) {
      return Invalid(path, root->line, "expected lines of the form 'key: value'");
    }
    return root;
  } catch (const YAML::Exception& error) {
    return Invalid(path, error.mark.line + 1, "this is not YAML: " + error.msg);
  } catch (const std::exception&) {
    return Invalid(path, 1, "this is not YAML");
  }
}

}  // namespace waymark
