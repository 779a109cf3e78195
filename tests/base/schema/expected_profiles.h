// The profile matrix of the domain reference: a row per category, a column per section. I, A and S
// are the stages inquiry, accepted and started; c is coarse fields only; brackets mean that the
// lead must add it;
// - is blocked.
#pragma once

inline constexpr const char* kProfileSections[] = {
    "NEED", "LANG", "ELIG", "PARTY", "ACCESS", "PREF", "SAFE", "CONT",
    "LOGI", "IDEN", "HLTH", "LEGL",  "DEPN",   "XBOR", "GOAL", "PROG"};

struct ExpectedProfile {
  unsigned category;
  const char* cells[16];
};

inline constexpr ExpectedProfile kExpectedProfiles[] = {
    {100,
     {"Ic>A", "Ic>A", "I", "Ic>A", "A", "A", "A", "A", "A", "(S)", "(A)", "-", "(A)", "-", "-",
      "A"}},
    {200,
     {"Ic>A", "Ic>A", "I", "Ic>A", "Ic>A", "Ic>A", "A", "A", "A", "S", "S", "-", "S", "-", "(S)",
      "A"}},
    {300,
     {"Ic>A", "A", "I", "Ic", "(A)", "A", "(A)", "(A)", "A", "(A)", "-", "-", "-", "-", "-", "A"}},
    {400,
     {"Ic>A", "Ic>A", "I", "-", "A", "Ic>A", "A", "A", "A", "S", "S", "-", "(S)", "-", "(S)", "S"}},
    {500,
     {"Ic>A", "Ic>A", "I", "-", "A", "Ic>A", "A", "A", "(A)", "S", "S", "-", "-", "-", "(S)", "S"}},
    {600, {"Ic>A", "Ic>A", "-", "-", "A", "Ic", "-", "-", "A", "-", "-", "-", "-", "-", "-", "A"}},
    {700,
     {"Ic>A", "Ic>A", "I", "(A)", "A", "A", "A", "A", "(A)", "S", "(S)", "Ac>S", "(S)", "(S)",
      "(S)", "S"}},
    {800,
     {"Ic>A", "Ic>A", "I", "Ic>A", "A", "A", "A", "A", "(A)", "S", "(S)", "(S)", "(S)", "(S)", "S",
      "S"}},
    {900,
     {"Ic>A", "Ic>A", "I", "Ic>A", "A", "A", "A", "A", "(A)", "S", "(S)", "(S)", "S", "(S)", "(S)",
      "S"}},
    {1000,
     {"Ic>A", "Ic>A", "I", "-", "A", "A", "(A)", "A", "(A)", "S", "-", "-", "-", "-", "S", "S"}},
    {1100,
     {"Ic>A", "Ic>A", "(I)", "(A)", "A", "A", "-", "(A)", "A", "(A)", "-", "-", "-", "-", "(S)",
      "(S)"}},
    {1200,
     {"Ic>A", "Ic>A", "I", "Ic>A", "A", "A", "A", "A", "A", "S", "(S)", "(S)", "S", "Ac>S", "(S)",
      "S"}},
};
