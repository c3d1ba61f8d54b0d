"""One step of DAM as its authors released it: task by task, autograd through the merge, one mask, one perturbation a task.

    dam_step.py SIZE IMAGES TASKS        IMAGES is a task's batch

A transcription of the released task-wise class: the mask is a relaxed Bernoulli sample over all parameters, divided by its mean tensor by
tensor; every task vector is masked as a whole; three phases a step with new images each (coefficients, perturbations, mask); Adam for all
three. The images are there before the clock starts.
"""

import sys

from contest import images, serve, torch, tower
from torch.func import functional_call
from torch.nn import functional as F

SCALE, TEMPERATURE = 100.0, 0.5


def entropy(logits):
    p = torch.softmax(logits, dim=-1)
    return -torch.sum(p * torch.log(p + 1e-8), dim=-1).mean()


def main(size, batch, tasks):
    model = tower(size)
    model.requires_grad_(False)
    pretrained = {name: p.detach() for name, p in model.named_parameters() if name.startswith("vision_model.")}
    vectors = [{name: 1e-3 * torch.randn_like(p) for name, p in pretrained.items()} for _ in range(tasks)]
    heads = [F.normalize(torch.randn(10, model.config.projection_dim), dim=1) for _ in range(tasks)]
    pool = [images(size, 2 * batch, seed=task) for task in range(tasks)]
    start = torch.full((tasks,), 0.3)
    weights = start.clone().requires_grad_()
    delta = torch.zeros(tasks, *pool[0].shape[1:], requires_grad=True)
    z = {name: torch.zeros_like(p).requires_grad_() for name, p in pretrained.items()}
    base_optimizer = torch.optim.Adam([weights], lr=1.0)
    mask_optimizer = torch.optim.Adam(list(z.values()), lr=1e-3)
    noise_optimizer = torch.optim.Adam([delta], lr=1e-4)

    def draw(task):
        return pool[task][torch.randint(len(pool[task]), (batch,))]

    def logits_of(theta, pixels, task):
        embeddings = functional_call(model, theta, kwargs=dict(pixel_values=pixels)).image_embeds
        return SCALE * F.normalize(embeddings, dim=1) @ heads[task].T

    def sample():
        mask = {name: torch.distributions.RelaxedBernoulli(TEMPERATURE, logits=logits).rsample() for name, logits in z.items()}
        return {name: m / m.mean() for name, m in mask.items()}

    def merge(mask):
        masked = [{name: mask[name] * v for name, v in vector.items()} for vector in vectors]
        theta = dict(pretrained)
        for task in range(tasks):
            theta = {name: theta[name] + weights[task] * masked[task][name] for name in theta}
        return theta

    def step():
        mask = sample()
        theta = merge({name: m.detach() for name, m in mask.items()})
        weights.data = start.clone()
        loss = 0
        for task in range(tasks):
            loss = loss + entropy(logits_of(theta, draw(task), task))
        loss.backward()
        base_optimizer.step()
        base_optimizer.zero_grad()

        theta = merge(mask)
        detached = {name: p.detach() for name, p in theta.items()}
        loss = 0
        for task in range(tasks):
            clean = draw(task)
            with torch.no_grad():
                labels = logits_of(detached, clean, task).argmax(1)
            loss = loss - F.cross_entropy(logits_of(detached, clean + delta[task], task), labels)
        loss.backward()
        noise_optimizer.step()
        noise_optimizer.zero_grad()

        loss = 0
        for task in range(tasks):
            clean = draw(task)
            adversarial = torch.clamp(clean + delta[task].detach(), min=0, max=1)
            loss = loss + entropy(logits_of(theta, clean, task)) + 0.1 * entropy(logits_of(theta, adversarial, task))
        loss.backward()
        mask_optimizer.step()
        mask_optimizer.zero_grad()

    serve(step)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
