"""Ten steps of fine-tuning the desk model on batches of 64: gradient, clipping, Adam."""

from contest import images, serve, torch, tower
from torch.nn import functional as F

model, pixels = tower("desk"), images("desk", 64)
labels = torch.arange(64) % 10
head = F.normalize(torch.randn(10, 64), dim=1)
trained = [p for name, p in model.named_parameters() if name.startswith("vision_model.")]
model.visual_projection.requires_grad_(False)
optimizer = torch.optim.Adam(trained, lr=1e-4)


def steps():
    for _ in range(10):
        optimizer.zero_grad()
        embeddings = F.normalize(model(pixel_values=pixels).image_embeds, dim=1)
        F.cross_entropy(100 * embeddings @ head.T, labels).backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()


serve(steps)
