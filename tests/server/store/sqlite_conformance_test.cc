#include "tests/server/store/sqlite_medium.h"
#include "tests/server/store_conformance/store_conformance.h"

namespace waymark::hub {
namespace {

INSTANTIATE_TEST_SUITE_P(
    Sqlite, StoreConformance,
    testing::Values(StoreBackend{"sqlite", [] { return std::make_unique<SqliteMedium>(); }}),
    [](const testing::TestParamInfo<StoreBackend>& backend) { return backend.param.name; });

}  // namespace
}  // namespace waymark::hub
