#include "client/mapping/sandbox/protocol.h"

#include "gtest/gtest.h"

namespace waymark::jq {
namespace {

std::string_view BodyOf(const std::string& frame) {
  return std::string_view(frame).substr(kLengthSize);
}

TEST(ProtocolTest, ReadsWhatItWrote) {
  const Request request = {.program = ".a",
                           .input = std::string("{\"a\":\"\0\"}", 9),
                           .arguments = {{"a", ""}, {"b", "c"}},
                           .max_output = 7};
  const std::string frame = Encode(request);
  EXPECT_EQ(BodySize(frame.data()), frame.size() - kLengthSize);
  EXPECT_EQ(DecodeRequest(BodyOf(frame)), request);

  for (const Response& response :
       {Response{.outputs = {"1", "", "[2]"}}, Response{},
        Response{.outcome = Outcome::kInvalid, .line = 3, .message = "what"},
        Response{.outcome = Outcome::kOutOfMemory}}) {
    EXPECT_EQ(DecodeResponse(BodyOf(Encode(response))), response);
  }
}

TEST(ProtocolTest, RefusesEveryPartAndEveryAddition) {
  const std::string request =
      Encode(Request{.program = "p", .input = "i", .arguments = {{"n", "v"}}});
  const std::string response = Encode(Response{.outputs = {"1", "2"}});
  for (size_t size = 0; size < request.size() - kLengthSize; ++size) {
    EXPECT_EQ(DecodeRequest(BodyOf(request).substr(0, size)), std::nullopt) << size;
  }
  for (size_t size = 0; size < response.size() - kLengthSize; ++size) {
    EXPECT_EQ(DecodeResponse(BodyOf(response).substr(0, size)), std::nullopt) << size;
  }
  EXPECT_EQ(DecodeRequest(std::string(BodyOf(request)) + "x"), std::nullopt);
  EXPECT_EQ(DecodeResponse(std::string(BodyOf(response)) + "x"), std::nullopt);
}

TEST(ProtocolTest, RefusesWhatNoEncoderWrites) {
  EXPECT_EQ(DecodeResponse(BodyOf(Encode(Response{.outcome = Outcome::kRaised, .outputs = {"1"}}))),
            std::nullopt);
  EXPECT_EQ(DecodeResponse(BodyOf(Encode(Response{.message = std::string(kMaxMessage + 1, 'x')}))),
            std::nullopt);
  std::string unknown = Encode(Response{});
  unknown[kLengthSize] = 99;
  EXPECT_EQ(DecodeResponse(BodyOf(unknown)), std::nullopt);
  // More entries than there are bytes.
  std::string many = Encode(Response{});
  many[many.size() - 4] = '\xff';
  EXPECT_EQ(DecodeResponse(BodyOf(many)), std::nullopt);
}

}  // namespace
}  // namespace waymark::jq
