"""Text recognizers: a convolutional network reads the line, a recurrent one the sequence."""

from functools import partial

from torch import nn

from .registry import family

recognizer = partial(family, task="text", source="written out", size=(32, 96), channels=1)


class Crnn(nn.Module):
    """Shi, Bai, Yao 2017: convolutions down to one row, a bidirectional recurrent layer over columns, one score a column."""

    def __init__(self, recurrent: type[nn.RNNBase]):
        super().__init__()
        layers: list[nn.Module] = []
        for before, after, stride in [(1, 16, (2, 2)), (16, 32, (2, 2)), (32, 48, (2, 1)), (48, 64, (2, 1)), (64, 64, (2, 1))]:
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(stride)]
        self.features = nn.Sequential(*layers)
        self.sequence = recurrent(64, 32, num_layers=2, bidirectional=True, batch_first=True)
        self.scores = nn.Linear(64, 37)

    def forward(self, x):
        columns = self.features(x).squeeze(2).transpose(1, 2)
        return self.scores(self.sequence(columns)[0]).log_softmax(-1)


recognizer("CRNN, LSTM")(lambda: Crnn(nn.LSTM))
recognizer("CRNN, GRU")(lambda: Crnn(nn.GRU))
recognizer("CRNN, plain RNN")(lambda: Crnn(nn.RNN))
