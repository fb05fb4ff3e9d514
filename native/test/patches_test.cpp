#include "image.h"
using namespace test;

TEST(patches_all_shapes) {
  std::vector<std::unique_ptr<Image>> images;
  std::vector<std::unique_ptr<Device<float>>> outs;
  std::vector<kfac_patches_request> requests;
  for (Conv conv : convolutions())
    for (int dtype : {KFAC_F32, KFAC_BF16, KFAC_F16}) {
      conv.dtype = dtype;
      images.push_back(std::make_unique<Image>(conv));
      outs.push_back(std::make_unique<Device<float>>(size_t(conv.groups * conv.rows() * conv.columns())));
      requests.push_back({images.back()->request(), outs.back()->get()});
    }
  Workspace workspace(kfac_patches_workspace(requests.data(), int(requests.size())));
  CALL(kfac_patches(requests.data(), int(requests.size()), workspace.get(), workspace.bytes(), nullptr));
  for (size_t i = 0; i < images.size(); ++i)
    CHECK(error(outs[i]->host(), images[i]->patches()) == 0, "%s", images[i]->conv.name().c_str());
}

TEST(patches_more_columns_than_threads) {
  const Conv conv{
      .batch = 1, .channels = 70, .height = 9, .width = 8, .kernel_height = 2, .kernel_width = 2, .bias = 1};
  Image image(conv);
  Device<float> out(size_t(conv.rows() * conv.columns()));
  const kfac_patches_request request{image.request(), out.get()};
  Workspace workspace(kfac_patches_workspace(&request, 1));
  CALL(kfac_patches(&request, 1, workspace.get(), workspace.bytes(), nullptr));
  CHECK(error(out.host(), image.patches()) == 0);
}

TEST(patches_more_rows_than_a_block) {
  const Conv conv{.batch = 3, .channels = 2, .height = 11, .width = 7, .kernel_height = 3, .kernel_width = 3};
  Image image(conv);
  Device<float> out(size_t(conv.rows() * conv.columns()));
  const kfac_patches_request request{image.request(), out.get()};
  Workspace workspace(kfac_patches_workspace(&request, 1));
  CALL(kfac_patches(&request, 1, workspace.get(), workspace.bytes(), nullptr));
  CHECK(error(out.host(), image.patches()) == 0);
}
