// An SQLite database that another program, here the test, uses at the same time.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/client/connectors/test_folder.h"
#include "tests/client/connectors/tried_system.h"

namespace waymark::node {

class SqliteSystem : public TriedSystem {
 public:
  SqliteSystem();

  std::string path() const { return folder_ / "beds.db"; }
  // Runs statements on a connection of their own and returns the rows.
  std::vector<std::vector<std::string>> Run(const std::string& sql,
                                            const std::vector<std::string>& texts = {});

  std::string Settings() const override;
  std::map<std::string, std::string> Notes() override;
  void Say(const std::vector<std::string>& texts) override;
  void Break() override;
  void Mend() override;
  void Deny() override;

 private:
  TestFolder folder_;
};

}  // namespace waymark::node
