"""One pass of images through the vision tower.

    encoder.py SIZE IMAGES forward|backward        backward also gives the gradient of every parameter
"""

import sys

from contest import images, serve, torch, tower


def main(size, count, direction):
    model, pixels = tower(size), images(size, count)
    model.eval()

    def forward():
        with torch.inference_mode():
            model(pixel_values=pixels)

    def backward():
        model.zero_grad(set_to_none=True)
        model(pixel_values=pixels).image_embeds.square().mean().backward()

    serve(backward if direction == "backward" else forward)


main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
