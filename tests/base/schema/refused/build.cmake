# Takes the build's own steps on a schema that it must refuse: cmake -DPROTOC=... -DCHECK=...
# -DPROTO_DIR=... -DOUTPUT=... -P build.cmake
set(here ${CMAKE_CURRENT_LIST_DIR})
execute_process(
  COMMAND ${PROTOC} -I ${PROTO_DIR} -I ${here} --include_imports --descriptor_set_out=${OUTPUT}
          ${here}/without_policy.proto
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CHECK} ${OUTPUT} RESULT_VARIABLE result ERROR_VARIABLE findings)
if(NOT result EQUAL 1)
  message(FATAL_ERROR "schema_check ended with ${result}, not 1:\n${findings}")
endif()
if(NOT findings MATCHES "LogiSection.accompanied_by_lead has no policy")
  message(FATAL_ERROR "schema_check does not name the field:\n${findings}")
endif()
