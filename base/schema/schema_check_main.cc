// schema_check FILE: holds a schema against what base/schema/schema_check.h asks of it.
//
// FILE is a serialised google.protobuf.FileDescriptorSet with imports, as `protoc
// --include_imports --descriptor_set_out` writes it. Prints a line per finding; exit status 0: the
// schema may be built, 1: it may not, 2: the file cannot be read. Part of the build; never
// installed.
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "base/schema/schema_check.h"
#include "google/protobuf/descriptor.pb.h"

namespace waymark {
namespace {

constexpr int kFindings = 1;
constexpr int kUnreadable = 2;

int Run(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  google::protobuf::FileDescriptorSet set;
  if (!set.ParseFromIstream(&file) || set.file().empty()) {
    std::cerr << "schema_check: " << path << " is not what protoc --descriptor_set_out writes\n";
    return kUnreadable;
  }
  google::protobuf::DescriptorPool pool;
  std::vector<const google::protobuf::FileDescriptor*> files;
  for (const google::protobuf::FileDescriptorProto& proto : set.file()) {
    const google::protobuf::FileDescriptor* built = pool.BuildFile(proto);
    if (built == nullptr) {
      std::cerr << "schema_check: " << proto.name() << " does not stand with what it imports\n";
      return kUnreadable;
    }
    files.push_back(built);
  }
  const std::vector<std::string> findings = SchemaFindings(files);
  for (const std::string& finding : findings) std::cerr << "schema_check: " << finding << "\n";
  return findings.empty() ? 0 : kFindings;
}

}  // namespace
}  // namespace waymark

int main(int argc, char** argv) {
  if (argc == 2) return waymark::Run(argv[1]);
  std::cerr << "usage: schema_check FILE\n";
  return waymark::kUnreadable;
}
