#include "base/rpc/credentials.h"
#include "gmock/gmock.h"

int main(int argc, char** argv) {
  waymark::RequireTls13();
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
