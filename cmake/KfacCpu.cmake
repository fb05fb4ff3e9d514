# libkfac_cpu: the same sources once for each instruction set; which one runs is chosen at load time.
set(KFAC_CPU_WARNINGS -Wall -Wextra -Werror -Wno-ignored-attributes -Wno-psabi)  # the last two are about vectors

# One set, compiled as one file, which keeps the build short.
function(kfac_cpu_instructions target name width)
  add_library(${target}_${name} OBJECT ${KFAC_CPU_SOURCES})
  target_include_directories(${target}_${name} PRIVATE ${PROJECT_SOURCE_DIR}/../include)
  target_compile_definitions(${target}_${name} PRIVATE KFAC_ISA=${name} KFAC_WIDTH=${width})
  target_compile_options(${target}_${name} PRIVATE -O3 -fno-math-errno ${KFAC_CPU_WARNINGS} ${ARGN})
  set_target_properties(${target}_${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 0
                        POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden)
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:${target}_${name}>)
endfunction()

# A shared library with every set of this processor family; further arguments are compiler and linker options.
function(kfac_cpu_library target)
  add_library(${target} SHARED ${PROJECT_SOURCE_DIR}/api.cpp)
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/../include)
  target_compile_options(${target} PRIVATE ${KFAC_CPU_WARNINGS} ${ARGN})
  target_link_options(${target} PRIVATE -Wl,-z,noexecstack ${ARGN})
  set_target_properties(${target} PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  kfac_cpu_instructions(${target} portable 4 ${ARGN})
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    target_compile_definitions(${target} PRIVATE KFAC_X86)
    kfac_cpu_instructions(${target} avx2 8 -mavx2 -mfma ${ARGN})
    kfac_cpu_instructions(${target} avx512 16 -mavx512f -mavx512vl -mavx512bw -mavx512dq -mbmi2 -mfma
                          -mprefer-vector-width=512 ${ARGN})
  endif()
endfunction()
