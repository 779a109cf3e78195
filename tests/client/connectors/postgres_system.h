// A database of the test program's own PostgreSQL server.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/client/connectors/tried_system.h"
#include "tests/support/postgres_server.h"

namespace waymark::node {

class PostgresSystem : public TriedSystem {
 public:
  // The server, which starts with the first use and ends with the program.
  static testing::PostgresServer& Server();

  PostgresSystem();

  // Runs SQL as the administrator; returns the first column.
  std::vector<std::string> Run(const std::string& sql) const;

  std::string Settings() const override;
  // The same with other lines in `referrals` after `mapping`.
  std::string SettingsWith(const std::string& referrals) const;
  std::map<std::string, std::string> Notes() override;
  void Say(const std::vector<std::string>& texts) override;
  void Break() override;
  void Mend() override;
  void Deny() override;
  bool holds_zero() const override { return false; }

 private:
  std::string database_;
};

}  // namespace waymark::node
