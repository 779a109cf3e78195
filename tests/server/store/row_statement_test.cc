#include "server/store/postgres/row_statement.h"

#include <gmock/gmock.h>

#include "tests/server/store/postgres_medium.h"

namespace waymark::hub {
namespace {

TEST(RowsFromTest, NamesAndNumbersWhatItTakes) {
  const std::vector<PgColumn> columns = {{"a"}, {"b", false}};
  EXPECT_EQ(RowsFrom(columns, 3, RowForm::kArrays), "unnest($3::bigint[], $4::bytea[]) AS n(a, b)");
  EXPECT_EQ(RowsFrom(columns, 3, RowForm::kValues), "(VALUES ($3::bigint, $4::bytea)) AS n(a, b)");
}

// Whether they come one by one or together, rows are the same: nothing, nobody's number and bytes
// of every kind included.
TEST(RowStatementTest, OneRowIsLikeMany) {
  PostgresMedium medium;
  const auto connection = *PgConnection::Connect({.url = medium.url()});
  ASSERT_TRUE(
      connection->Execute("CREATE TABLE public.t (way text, a bigint, b bytea)", absl::Seconds(20))
          .ok());
  const RowStatement insert({{"a"}, {"b", false}}, [](const std::string& rows) {
    return "INSERT INTO public.t SELECT convert_from($3::bytea, 'UTF8'), n.a, n.b FROM " + rows;
  });
  const auto add = [](int64_t number, bool null, std::string_view bytes, PgColumns& rows) {
    rows.AddNumberOrNull(number, null).Add(bytes);
    rows.EndRow();
  };
  const auto run = [&](PgColumns rows, std::string_view way) {
    PgCommand command = insert.Over(std::move(rows));
    command.params.Add(way);
    EXPECT_TRUE(connection->Run(command, absl::Seconds(20)).status.ok());
  };
  PgColumns together;
  const std::pair<int64_t, std::string> samples[] = {
      {0, std::string(1, '\0')}, {-1, "\xff\xff\xff\xff"}, {1, ""}, {int64_t{1} << 62, "text"}};
  for (const auto& [number, bytes] : samples) {
    for (const bool null : {false, true}) {
      PgColumns alone;
      add(number, null, bytes, alone);
      add(number, null, bytes, together);
      run(std::move(alone), "alone");
    }
  }
  run(std::move(together), "together");
  EXPECT_EQ(medium.Query("SELECT count(*) FROM public.t"), std::vector<std::string>{"16"});
  EXPECT_THAT(medium.Query("SELECT a FROM public.t WHERE way = 'alone' EXCEPT ALL SELECT a FROM "
                           "public.t WHERE way = 'together'"),
              ::testing::IsEmpty());
  EXPECT_THAT(medium.Query("SELECT b FROM public.t WHERE way = 'alone' EXCEPT ALL SELECT b FROM "
                           "public.t WHERE way = 'together'"),
              ::testing::IsEmpty());
  EXPECT_EQ(medium.Query("SELECT count(*) FROM public.t WHERE a IS NULL"),
            std::vector<std::string>{"8"});
}

}  // namespace
}  // namespace waymark::hub
