petlab_add_test(NAME core_host_tests LABEL unit
  SOURCES
    cpu_shares_test.cpp
    expected_cost_test.cpp
    identity_test.cpp
    lease_keeper_test.cpp
    plan_test.cpp
    plugin_loader_test.cpp
    protocol_test.cpp
    search_test.cpp
    study_todo_test.cpp
    work_order_test.cpp
  LIBS petlab::core petlab_sample_records)
target_compile_definitions(core_host_tests PRIVATE
  PETLAB_PROTOCOLS="${PROJECT_SOURCE_DIR}/harness/protocols")
target_include_directories(core_host_tests PRIVATE ${CMAKE_SOURCE_DIR}/harness/core/src)
# The loader is tested with the real plugins and with those that are broken on purpose.
add_dependencies(core_host_tests petlab_plugins)
if(TARGET petlab_test_plugins)
  add_dependencies(core_host_tests petlab_test_plugins)
endif()
