// Fills a section with one valid value in every field, by reflection.
#pragma once

#include "google/protobuf/message.h"

namespace waymark {

// Sets every field of `message` but `not_said`. The result passes ValidateSection; texts and ids
// contain "canary".
void Fill(google::protobuf::Message& message);

// Sets one field of `message` in the same way.
void FillField(google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field);

}  // namespace waymark
