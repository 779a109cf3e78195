#include "client/vault/database.h"

#include <utility>

#include "base/crypto/aead.h"
#include "base/crypto/frame.h"
#include "base/status/status.h"
#include "client/vault/schema_version.h"

namespace waymark::node {
namespace {

// `key` is a row of `keys`, whose numbers are never used twice. Times are milliseconds since the
// Unix epoch. `keys` has no foreign keys on it: a key goes first, then the row.
constexpr char kSchema[] = R"(
CREATE TABLE vault (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  salt BLOB NOT NULL,
  scrypt_n INTEGER NOT NULL,
  scrypt_r INTEGER NOT NULL,
  scrypt_p INTEGER NOT NULL,
  proof BLOB NOT NULL
);
CREATE TABLE keys (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  wrapped BLOB NOT NULL
);
CREATE TABLE documents (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  kind INTEGER NOT NULL,
  id BLOB NOT NULL,
  parent BLOB NOT NULL,
  key INTEGER NOT NULL,
  box BLOB NOT NULL,
  UNIQUE (kind, id)
);
CREATE INDEX documents_by_parent ON documents (kind, parent, number);
CREATE TABLE sections (
  name BLOB PRIMARY KEY,
  referral BLOB NOT NULL,
  direction INTEGER NOT NULL,
  key INTEGER NOT NULL,
  box BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX sections_by_referral ON sections (referral);
CREATE TABLE settings (
  name TEXT PRIMARY KEY,
  key INTEGER NOT NULL,
  box BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE outbox (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  item_id BLOB NOT NULL UNIQUE,
  referral BLOB NOT NULL,
  not_before INTEGER NOT NULL,
  keep_until INTEGER NOT NULL,
  outlives_withdrawal INTEGER NOT NULL,
  expects_receipt INTEGER NOT NULL,
  state INTEGER NOT NULL,
  reason INTEGER NOT NULL,
  key INTEGER NOT NULL,
  box BLOB NOT NULL
);
CREATE INDEX outbox_by_state ON outbox (state, number);
CREATE INDEX outbox_by_referral ON outbox (referral);
CREATE TABLE inbox (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  arrived INTEGER NOT NULL,
  key INTEGER NOT NULL,
  box BLOB NOT NULL
);
CREATE TABLE seen (
  message_id BLOB PRIMARY KEY,
  until INTEGER NOT NULL
) WITHOUT ROWID;
PRAGMA user_version = 1;
)";

// Came later than version 1, whose programs can do with it and without.
constexpr char kIndexOfKeys[] =
    "CREATE INDEX IF NOT EXISTS documents_by_key ON documents (kind, key)";

constexpr char kProofTable[] = "vault";
constexpr char kProof[] = "waymark vault";

std::string BoundName(std::string_view table, Parts name) {
  std::string bytes;
  WriteFrame(table, name, [&bytes](std::string_view piece) { bytes += piece; });
  return bytes;
}

absl::StatusOr<int64_t> UserVersion(SqliteConnection& connection) {
  Statement statement = connection.Prepare("PRAGMA user_version");
  ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.Int(0) : 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<VaultDatabase>> VaultDatabase::Open(const std::string& path,
                                                                   const MasterKey& key,
                                                                   const ScryptCost& cost,
                                                                   Random& random) {
  ASSIGN_OR_RETURN(std::unique_ptr<SqliteConnection> connection, SqliteConnection::Open(path));
  ASSIGN_OR_RETURN(const int64_t version, UserVersion(*connection));
  std::unique_ptr<VaultDatabase> database(new VaultDatabase(std::move(connection), random));
  if (version > kVaultSchemaVersion) {
    return Error(v1::REASON_VERSION_UNSUPPORTED,
                 "the vault was written by a newer version of this program: " + path);
  }
  RETURN_IF_ERROR(version == 0 ? database->Create(key, cost) : database->Unlock(key));
  RETURN_IF_ERROR(database->connection_->Execute(kIndexOfKeys));
  return database;
}

absl::Status VaultDatabase::DeriveKeys(const MasterKey& key, std::string_view salt,
                                       const ScryptCost& cost) {
  ASSIGN_OR_RETURN(const SecretBytes master, key.Derive(salt, cost));
  wrapping_key_ = HkdfExpand(master, "waymark vault wrapping key", kAtRestKeySize);
  naming_key_ = HkdfExpand(master, "waymark vault naming key", kAtRestKeySize);
  return absl::OkStatus();
}

absl::Status VaultDatabase::Create(const MasterKey& key, const ScryptCost& cost) {
  const std::string salt = random_.Bytes(kPassphraseSaltSize);
  RETURN_IF_ERROR(DeriveKeys(key, salt, cost));
  ASSIGN_OR_RETURN(const std::string proof,
                   EncryptAtRest(wrapping_key_, BoundName(kProofTable, {}), kProof, random_));
  return InTransaction([&]() -> absl::Status {
    RETURN_IF_ERROR(connection_->Execute(kSchema));
    return Prepare(
               "INSERT INTO vault (id, salt, scrypt_n, scrypt_r, scrypt_p, proof) "
               "VALUES (1, ?, ?, ?, ?, ?)")
        .Blob(salt)
        .Bind(static_cast<int64_t>(cost.n))
        .Bind(cost.r)
        .Bind(cost.p)
        .Blob(proof)
        .Run();
  });
}

absl::Status VaultDatabase::Unlock(const MasterKey& key) {
  Statement statement = Prepare("SELECT salt, scrypt_n, scrypt_r, scrypt_p, proof FROM vault");
  ASSIGN_OR_RETURN(const bool row, statement.Step());
  if (!row) return Error(v1::REASON_DATA_CORRUPT, "the vault has lost its salt");
  const ScryptCost cost = {static_cast<uint64_t>(statement.Int(1)),
                           static_cast<uint32_t>(statement.Int(2)),
                           static_cast<uint32_t>(statement.Int(3))};
  RETURN_IF_ERROR(DeriveKeys(key, statement.Bytes(0), cost));
  if (!DecryptAtRest(wrapping_key_, BoundName(kProofTable, {}), statement.Bytes(4)).ok()) {
    return Error(v1::REASON_VAULT_LOCKED, "the master key is not the one of this vault");
  }
  return absl::OkStatus();
}

absl::Status VaultDatabase::InTransaction(absl::FunctionRef<absl::Status()> change) {
  RETURN_IF_ERROR(connection_->Execute("BEGIN IMMEDIATE"));
  absl::Status status = change();
  if (status.ok()) status = connection_->Execute("COMMIT");
  if (!status.ok()) {
    // Fails only when SQLite has rolled back by itself.
    connection_->Execute("ROLLBACK").IgnoreError();
    return status;
  }
  // The log still holds the pages as they were. When it cannot be emptied now, the next commit
  // tries again: the change itself is durable.
  if (scrub_ && connection_->Execute("PRAGMA wal_checkpoint(TRUNCATE)").ok()) scrub_ = false;
  return absl::OkStatus();
}

absl::StatusOr<SealedRecord> VaultDatabase::Seal(std::string_view table, Parts name,
                                                 std::string_view content) {
  const std::string bound = BoundName(table, name);
  const SecretBytes data_key = GenerateAtRestKey(random_);
  SealedRecord record;
  ASSIGN_OR_RETURN(record.box, EncryptAtRest(data_key, bound, content, random_));
  ASSIGN_OR_RETURN(const std::string wrapped,
                   EncryptAtRest(wrapping_key_, bound, data_key.view(), random_));
  Statement insert =
      Prepare("INSERT INTO keys (wrapped) VALUES (?) RETURNING number").Blob(wrapped);
  ASSIGN_OR_RETURN(const bool row, insert.Step());
  if (!row) return Error(v1::REASON_INTERNAL, "the vault did not number a key");
  record.key = insert.Int(0);
  RETURN_IF_ERROR(insert.Run());
  return record;
}

absl::StatusOr<SecretBytes> VaultDatabase::Unseal(std::string_view table, Parts name, int64_t key,
                                                  std::string_view box) {
  Statement select = Prepare("SELECT wrapped FROM keys WHERE number = ?").Bind(key);
  ASSIGN_OR_RETURN(const bool row, select.Step());
  if (!row) return Error(v1::REASON_DATA_CORRUPT, "a record of the vault has lost its key");
  return UnsealWith(table, name, select.Bytes(0), box);
}

absl::StatusOr<SecretBytes> VaultDatabase::UnsealWith(std::string_view table, Parts name,
                                                      std::string_view wrapped,
                                                      std::string_view box) {
  ++opened_;
  const std::string bound = BoundName(table, name);
  ASSIGN_OR_RETURN(const SecretBytes data_key, DecryptAtRest(wrapping_key_, bound, wrapped));
  return DecryptAtRest(data_key, bound, box);
}

absl::Status VaultDatabase::DeleteKey(int64_t key) {
  return Prepare("DELETE FROM keys WHERE number = ?").Bind(key).Run();
}

std::string VaultDatabase::BlindName(std::string_view label, Parts parts) const {
  return HmacSha256(naming_key_, label, parts).substr(0, 16);
}

}  // namespace waymark::node
